//! Training for JavaScript: samples and groups in, numbers out, and the checkpoints of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use coldstart_checkpoint::Store;
use coldstart_engine::train::{
    GroupTokenMean, OptimizerOptions, PerGroup, PolicyOptions, PromptGroup, Response, SftMetrics, SftOptions, Trainer,
    evaluate_sft, log_probs as engine_log_probs,
};
use coldstart_engine::{Item, Model, Precision, Save, SaveDtype};
use napi::bindgen_prelude::{Float32Array, Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::generation::images;
use crate::info::objective_config;
use crate::model::{CompanionFile, ParameterReport};
use crate::number::{whole, wholes};
use crate::processor::PreparedImage;
use crate::session::{Session, report, split_checkpoint};

/// How a run trains, fixed for all of its steps.
#[napi(object)]
pub struct TrainingOptions {
    /// Glob patterns of hub names that stay as they are.
    pub freeze: Vec<String>,
    /// Ids that sampling never returns: they have no probability in training either.
    pub banned_ids: Vec<f64>,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    pub max_grad_norm: f64,
    /// Skipped updates in a row that are tolerated.
    pub max_skips: f64,
    pub micro_batch_tokens: f64,
    /// Keep block inputs only.
    pub recompute: bool,
    /// Tensors that decay: `matrices`, `all` or `names`.
    pub decay: String,
    /// Factors of learning rate and weight decay by part.
    pub lr_scale: PartScale,
    pub weight_decay_scale: PartScale,
    /// Supervised loss as a mean over groups of this many samples of their token means; one mean over all targets if absent.
    pub sft_group: Option<f64>,
    /// Deal samples to groups in turn.
    pub sft_interleaved: bool,
}

/// A factor for each part of the model.
#[napi(object)]
pub struct PartScale {
    pub vision: f64,
    pub merger: f64,
    pub language: f64,
}

impl From<PartScale> for PerGroup<f64> {
    fn from(scale: PartScale) -> Self {
        Self { vision: scale.vision, merger: scale.merger, language: scale.language }
    }
}

/// A conversation to learn from.
#[napi(object)]
pub struct TrainSample {
    pub ids: Uint32Array,
    /// 1 where the loss applies.
    pub targets: Uint8Array,
    pub images: Vec<PreparedImage>,
}

/// A sampled completion with what is known of it.
#[napi(object)]
pub struct TrainCompletion {
    pub ids: Uint32Array,
    /// NaN leaves the completion out of the loss.
    pub advantage: f64,
    /// Cut at the length limit.
    pub truncated: bool,
    pub sampler_log_probs: Option<Float32Array>,
    pub old_log_probs: Option<Float64Array>,
    pub ref_log_probs: Option<Float64Array>,
}

/// A prompt with its completions.
#[napi(object)]
pub struct CompletionGroup {
    pub ids: Uint32Array,
    pub images: Vec<PreparedImage>,
    pub completions: Vec<TrainCompletion>,
}

#[napi(object)]
pub struct SftResult {
    /// In nats: of an update the mean that the run was started with, of `sftLoss` always the mean over the target tokens.
    pub loss: f64,
    /// Share of targets that are the likeliest token.
    pub token_accuracy: f64,
    /// Before clipping.
    pub grad_norm: f64,
    pub target_tokens: u32,
    /// Tokens of the samples.
    pub tokens: u32,
    /// A non-finite loss or gradient kept the weights as they were.
    pub skipped: bool,
}

#[napi(object)]
pub struct GrpoResult {
    /// Under the names of the field.
    #[napi(ts_type = "Record<string, number>")]
    pub metrics: BTreeMap<String, f64>,
    pub grad_norm: f64,
    pub skipped: bool,
}

/// A checkpoint that is on the disk.
#[napi(object)]
pub struct SavedCheckpoint {
    pub path: String,
    /// Why old ones were not deleted.
    pub warning: Option<String>,
}

/// What a session keeps of a run: the optimizer and how forwards are computed.
pub struct Run {
    pub trainer: Trainer,
    banned: Vec<u32>,
    max_tokens: usize,
    save: Save,
    sft_group: Option<GroupTokenMean>,
}

impl Run {
    fn sft(&self) -> SftOptions {
        SftOptions { max_tokens: self.max_tokens, save: self.save, group_token_mean: self.sft_group }
    }

    fn policy(&self, temperature: f64) -> PolicyOptions {
        PolicyOptions { temperature, banned: self.banned.clone(), max_tokens: self.max_tokens, save: self.save }
    }
}

pub fn start(session: &mut Session, options: TrainingOptions) -> Result<ParameterReport, Failure> {
    let trainer = Trainer::new(OptimizerOptions {
        adam_beta1: options.beta1,
        adam_beta2: options.beta2,
        adam_epsilon: options.epsilon,
        weight_decay: options.weight_decay,
        max_grad_norm: Some(options.max_grad_norm),
        max_skips: whole("maxSkips", options.max_skips)?,
        decay: serde_json::from_value(options.decay.into())
            .map_err(|error| Failure::new("E_CONFIG", format!("decay: {error}")))?,
        lr_scale: options.lr_scale.into(),
        weight_decay_scale: options.weight_decay_scale.into(),
    })?;
    let banned = wholes("bannedIds", &options.banned_ids)?;
    let max_tokens = whole::<u32>("microBatchTokens", options.micro_batch_tokens)? as usize;
    let sft_rows = options.sft_group.map(|rows| whole::<u32>("sftGroup", rows)).transpose()?;
    let model = session.model_mut()?;
    model.params_mut().freeze(&options.freeze)?;
    let report = report(model.params());
    let save = if options.recompute { Save::Inputs } else { Save::All };
    let sft_group = sft_rows.map(|rows| GroupTokenMean { rows: rows as usize, interleaved: options.sft_interleaved });
    session.run = Some(Run { trainer, banned, max_tokens, save, sft_group });
    session.reference = None;
    Ok(report)
}

fn items(samples: Vec<TrainSample>) -> Result<Vec<Item>, Failure> {
    samples
        .into_iter()
        .map(|sample| {
            Ok(Item {
                ids: sample.ids.to_vec(),
                images: images(sample.images)?,
                targets: sample.targets.iter().map(|&target| target != 0).collect(),
                branches: vec![],
            })
        })
        .collect()
}

impl From<SftMetrics> for SftResult {
    fn from(metrics: SftMetrics) -> Self {
        Self {
            loss: metrics.loss,
            token_accuracy: metrics.token_acc,
            grad_norm: metrics.grad_norm.unwrap_or(0.0),
            target_tokens: metrics.num_target_tokens as u32,
            tokens: metrics.num_tokens as u32,
            skipped: metrics.skipped.is_some(),
        }
    }
}

pub fn sft_step(session: &mut Session, samples: Vec<TrainSample>, learning_rate: f64) -> Result<SftResult, Failure> {
    let items = items(samples)?;
    let abort = Arc::clone(&session.abort);
    let (model, run) = session.training()?;
    let options = run.sft();
    Ok(run.trainer.sft_step(model, &items, &options, learning_rate, &*abort)?.into())
}

pub fn sft_loss(session: &mut Session, samples: Vec<TrainSample>) -> Result<SftResult, Failure> {
    let items = items(samples)?;
    let abort = Arc::clone(&session.abort);
    let (model, run) = session.training()?;
    // How updates weight samples depends on what else is in a batch; a mean over tokens adds up over batches.
    let options = SftOptions { group_token_mean: None, ..run.sft() };
    Ok(evaluate_sft(model, &items, &options, &*abort)?.into())
}

fn groups(groups: Vec<CompletionGroup>) -> Result<Vec<PromptGroup>, Failure> {
    let floats = |list: Option<Float32Array>| list.map(|list| list.iter().map(|&v| f64::from(v)).collect());
    let doubles = |list: Option<Float64Array>| list.map(|list| list.to_vec());
    groups
        .into_iter()
        .map(|group| {
            let responses = group.completions.into_iter().map(|completion| Response {
                ids: completion.ids.to_vec(),
                advantage: (!completion.advantage.is_nan()).then_some(completion.advantage),
                ref_logp: doubles(completion.ref_log_probs),
                old_logp: doubles(completion.old_log_probs),
                sampler_logp: floats(completion.sampler_log_probs),
                truncated: completion.truncated,
            });
            Ok(PromptGroup {
                prompt: group.ids.to_vec(),
                images: images(group.images)?,
                responses: responses.collect(),
            })
        })
        .collect()
}

pub fn log_probs(
    session: &mut Session,
    completion_groups: Vec<CompletionGroup>,
    temperature: f64,
    reference: bool,
) -> Result<Vec<Float64Array>, Failure> {
    let groups = groups(completion_groups)?;
    let abort = Arc::clone(&session.abort);
    let options = session.training()?.1.policy(temperature);
    let model = if reference {
        session.reference.as_ref().ok_or_else(|| Failure::new("E_USAGE", "no reference model was kept"))?
    } else {
        session.model()?
    };
    let values = engine_log_probs(model, &groups, &options, &*abort)?;
    Ok(values.into_iter().flatten().map(Float64Array::new).collect())
}

pub fn grpo_update(
    session: &mut Session,
    completion_groups: Vec<CompletionGroup>,
    objective: &str,
    temperature: f64,
    learning_rate: f64,
    abortable: bool,
) -> Result<GrpoResult, Failure> {
    let groups = groups(completion_groups)?;
    let objective = objective_config(objective)?.resolve()?;
    let abort = if abortable { Arc::clone(&session.abort) } else { Arc::new(AtomicBool::new(false)) };
    let (model, run) = session.training()?;
    let options = run.policy(temperature);
    let update = run.trainer.policy_update(model, &groups, &objective, &options, learning_rate, &*abort)?;
    let value = serde_json::to_value(&update).map_err(|error| Failure::new("E_NATIVE_PANIC", error.to_string()))?;
    let metrics =
        value.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
    Ok(GrpoResult { metrics: metrics.collect(), grad_norm: update.grad_norm, skipped: update.skipped.is_some() })
}

/// Folders of a checkpoint: a model that loads anywhere, what only a trainer needs, the reference of a run with a KL term.
const MODEL: &str = "model";
const TRAINER: &str = "trainer";
const REFERENCE: &str = "reference";
const STATE: &str = "state.json";

pub fn save(
    session: &mut Session,
    root: &Path,
    step: u32,
    state: &str,
    keep: u32,
    files: &[CompanionFile],
) -> Result<SavedCheckpoint, Failure> {
    session.open_store(root)?;
    let (model, run, reference, store) = session.saving()?;
    let export = export_dtype(model);
    let exact = if model.precision() == Precision::F64 { SaveDtype::Float64 } else { SaveDtype::Float32 };
    let bytes = model.saved_bytes(export)
        + run.trainer.state_bytes(model)
        + reference.map_or(0, |reference| reference.saved_bytes(exact))
        + files.iter().map(|file| file.data.len() as u64).sum::<u64>();
    let mut write = |writer: &mut coldstart_checkpoint::Writer<'_>| {
        let folder = |name: &str| {
            let folder = writer.dir().join(name);
            fs::create_dir_all(&folder).map(|()| folder)
        };
        model.save(&folder(MODEL)?, export)?;
        run.trainer.save_state(model, &folder(TRAINER)?)?;
        if let Some(reference) = reference {
            reference.save(&folder(REFERENCE)?, exact)?;
        }
        for file in files {
            writer.file(&format!("{MODEL}/{}", file.name), &file.data)?;
        }
        writer.file(STATE, state.as_bytes())?;
        Ok(())
    };
    let meta: Value = json!({ "coldstart": env!("CARGO_PKG_VERSION") });
    let path = store.save(u64::from(step), bytes, meta, &mut write)?;
    // The checkpoint is durable: an old one that stays in its way is no reason to call it unsaved.
    let warning = store.retain(keep as usize).err().map(|error| format!("an old checkpoint was not deleted: {error}"));
    Ok(SavedCheckpoint { path: path.display().to_string(), warning })
}

/// The export has the type that the config names; the trainer's files hold the master weights.
fn export_dtype(model: &Model) -> SaveDtype {
    let config = model.config().to_json();
    let dtype = config.get("torch_dtype").or_else(|| config.get("dtype")).and_then(Value::as_str);
    if dtype == Some("bfloat16") { SaveDtype::Bfloat16 } else { SaveDtype::Float32 }
}

pub fn load(session: &mut Session, path: &Path) -> Result<String, Failure> {
    let (root, step) = split_checkpoint(path)?;
    let store = Store::open(&root)?;
    let checkpoint = store.at_step(step)?;
    let state = String::from_utf8(checkpoint.read(STATE)?)
        .map_err(|_| Failure::new("E_CKPT_CORRUPT", format!("{}: {STATE} is not UTF-8", path.display())))?;
    let (model, run) = session.training()?;
    run.trainer.load_state(model, &path.join(TRAINER))?;
    let reference = path.join(REFERENCE);
    session.reference =
        if reference.exists() { Some(Model::load(&reference, session.model()?.precision())?) } else { None };
    Ok(state)
}
