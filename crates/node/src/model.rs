//! A model for JavaScript: every method queues a command on the model's engine thread and returns a promise of its outcome.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coldstart_engine::{Model, ModelConfig, Precision, SaveDtype};
use napi::Env;
use napi::bindgen_prelude::{Object, Uint8Array};
use napi_derive::napi;

use crate::failure::Failure;
use crate::generation::{self, GenerateRequest};
use crate::number::whole;
use crate::session::Session;
use crate::training::{self, CompletionGroup, TrainSample, TrainingOptions};
use crate::worker::Worker;

#[napi(object)]
pub struct PartCount {
    pub total: f64,
    pub trainable: f64,
}

/// Parameters by part, all and trainable.
#[napi(object)]
pub struct ParameterReport {
    pub total: f64,
    pub trainable: f64,
    pub vision: PartCount,
    pub merger: PartCount,
    pub language: PartCount,
}

#[napi(object)]
pub struct ModelInfo {
    pub parameters: ParameterReport,
}

/// A file that goes into a model folder as it is.
#[napi(object)]
pub struct CompanionFile {
    pub name: String,
    pub data: Uint8Array,
}

/// A Qwen2.5-VL model on a thread of its own.
#[napi]
pub struct NativeModel {
    worker: Worker<Session>,
    abort: Arc<AtomicBool>,
}

#[napi]
impl NativeModel {
    #[napi(constructor)]
    pub fn new() -> napi::Result<Self> {
        let abort = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&abort);
        Ok(Self { worker: Worker::spawn("coldstart-engine", move || Session::new(flag))?, abort })
    }

    /// Loads `config.json` and the weights of a folder. `dtype`: `float32`, `bfloat16` or `float64`.
    #[napi(ts_return_type = "Promise<ModelInfo | Failure>")]
    pub fn load<'env>(&self, env: &'env Env, folder: String, dtype: String) -> napi::Result<Object<'env>> {
        self.worker
            .submit(env, move |session| Ok(session.install(Model::load(Path::new(&folder), precision(&dtype)?)?)))
    }

    /// A new model with random weights from the content of a `config.json`.
    #[napi(ts_return_type = "Promise<ModelInfo | Failure>")]
    pub fn create<'env>(&self, env: &'env Env, config: String, seed: f64, dtype: String) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| {
            let json =
                serde_json::from_str(&config).map_err(|error| Failure::new("E_CONFIG", format!("config: {error}")))?;
            let config = ModelConfig::from_json(&json)?;
            Ok(session.install(Model::init(&config, whole("seed", seed)?, precision(&dtype)?)?))
        })
    }

    /// Writes `config.json` and the weights into `folder`, which exists. `dtype`: `float32` or `bfloat16`.
    #[napi(ts_return_type = "Promise<boolean | Failure>")]
    pub fn save<'env>(&self, env: &'env Env, folder: String, dtype: String) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| {
            let dtype = match dtype.as_str() {
                "float32" => SaveDtype::Float32,
                "bfloat16" => SaveDtype::Bfloat16,
                other => {
                    return Err(Failure::new("E_CONFIG", format!("dtype: expected float32 or bfloat16, got {other}")));
                }
            };
            session.model()?.save(Path::new(&folder), dtype)?;
            Ok(true)
        })
    }

    /// Checks the requests and begins a generation; its number is for the two calls below.
    #[napi(ts_return_type = "Promise<number | Failure>")]
    pub fn generate_start<'env>(&self, env: &'env Env, requests: Vec<GenerateRequest>) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| generation::start(session, requests))
    }

    /// Works for about `millis` milliseconds and tells what is new. 0 gives one token of every running sample.
    #[napi(ts_return_type = "Promise<GenerationSlice | Failure>")]
    pub fn generate_step<'env>(&self, env: &'env Env, id: f64, millis: f64) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| generation::step(session, id, millis))
    }

    /// Ends a generation and frees its cache. Harmless when it has ended.
    #[napi(ts_return_type = "Promise<boolean | Failure>")]
    pub fn generate_cancel<'env>(&self, env: &'env Env, id: f64) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| generation::cancel(session, id))
    }

    /// Begins training with fresh optimizer state; reports what will be trained.
    #[napi(ts_return_type = "Promise<ParameterReport | Failure>")]
    pub fn start_training<'env>(&self, env: &'env Env, options: TrainingOptions) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| training::start(session, options))
    }

    /// One supervised update.
    #[napi(ts_return_type = "Promise<SftResult | Failure>")]
    pub fn sft_step<'env>(
        &self,
        env: &'env Env,
        samples: Vec<TrainSample>,
        learning_rate: f64,
    ) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| training::sft_step(session, samples, learning_rate))
    }

    /// The loss of samples, without an update.
    #[napi(ts_return_type = "Promise<SftResult | Failure>")]
    pub fn sft_loss<'env>(&self, env: &'env Env, samples: Vec<TrainSample>) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| training::sft_loss(session, samples))
    }

    /// Copies the weights of this moment as the reference of the KL term.
    #[napi(ts_return_type = "Promise<boolean | Failure>")]
    pub fn keep_reference<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.worker.submit(env, |session| {
            session.reference = Some(session.model()?.copy()?);
            Ok(true)
        })
    }

    /// Log-probabilities of every completion under the present weights or the reference, one array a completion.
    #[napi(ts_return_type = "Promise<Float64Array[] | Failure>")]
    pub fn log_probs<'env>(
        &self,
        env: &'env Env,
        groups: Vec<CompletionGroup>,
        temperature: f64,
        reference: bool,
    ) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| training::log_probs(session, groups, temperature, reference))
    }

    /// One policy update. `abortable`: whether the abort flag may end it before the weights change.
    #[napi(ts_return_type = "Promise<GrpoResult | Failure>")]
    pub fn grpo_update<'env>(
        &self,
        env: &'env Env,
        groups: Vec<CompletionGroup>,
        objective: String,
        temperature: f64,
        learning_rate: f64,
        abortable: bool,
    ) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| {
            training::grpo_update(session, groups, &objective, temperature, learning_rate, abortable)
        })
    }

    /// Commits a checkpoint under `root` and lets the oldest ones go.
    #[napi(ts_return_type = "Promise<SavedCheckpoint | Failure>")]
    pub fn save_checkpoint<'env>(
        &self,
        env: &'env Env,
        root: String,
        step: f64,
        state: String,
        keep: f64,
        files: Vec<CompanionFile>,
    ) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| {
            let (step, keep) = (whole("step", step)?, whole("keep", keep)?);
            training::save(session, Path::new(&root), step, &state, keep, &files)
        })
    }

    /// Restores weights, optimizer and reference from a checkpoint. Resolves with the state it was saved with.
    #[napi(ts_return_type = "Promise<string | Failure>")]
    pub fn load_checkpoint<'env>(&self, env: &'env Env, path: String) -> napi::Result<Object<'env>> {
        self.worker.submit(env, move |session| training::load(session, Path::new(&path)))
    }

    /// Raises the flag that long commands poll between tokens and micro-batches.
    #[napi]
    pub fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
    }

    /// Lowers it.
    #[napi]
    pub fn reset_abort(&self) {
        self.abort.store(false, Ordering::Relaxed);
    }

    /// Panics on the engine thread, so that tests can show what becomes of a panic.
    #[napi(js_name = "__panic", ts_return_type = "Promise<boolean | Failure>")]
    pub fn panic<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.worker.submit(env, |_| -> Result<bool, Failure> { panic!("asked to by a test") })
    }

    /// Frees everything behind the commands in flight. Idempotent.
    #[napi(ts_return_type = "Promise<boolean | Failure>")]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.worker.close(env)
    }
}

fn precision(dtype: &str) -> Result<Precision, Failure> {
    coldstart_gemm::check_forced().map_err(|message| Failure::new("E_CONFIG", message))?;
    match dtype {
        "float32" => Ok(Precision::F32),
        "bfloat16" => Ok(Precision::Bf16),
        "float64" => Ok(Precision::F64),
        other => Err(Failure::new("E_CONFIG", format!("dtype: expected float32, bfloat16 or float64, got {other}"))),
    }
}
