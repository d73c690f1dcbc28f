//! A run that is saved and continued elsewhere is the run that was not interrupted, bit for bit.

mod common;
mod train_common;

use coldstart_engine::generate::{Finish, Limits, Request, Settings, banned_tokens, generate};
use coldstart_engine::train::{PolicyOptions, PromptGroup, Response, Trainer, log_probs};
use coldstart_engine::{Model, Precision, SampleParams, Save, SaveDtype};
use coldstart_objective::{AdvantageEstimator, Config, advantages};
use common::{config, image, model, prompt, write_value};
use std::path::Path;
use std::sync::Arc;
use train_common::{GO, samples, sft_options, trainer, weights};

const SEED: u64 = 3;

/// Everything a step shows, as bits.
type Trace = Vec<Vec<u64>>;

/// Steps `from..to` of a run.
type Run = fn(&mut Model, &mut Trainer, std::ops::Range<u64>) -> Trace;

fn sft(model: &mut Model, trainer: &mut Trainer, steps: std::ops::Range<u64>) -> Trace {
    let items = samples();
    let step = |s: u64| {
        let batch = [s, s + 1, s + 3].map(|i| items[i as usize % 5].clone());
        let metrics = trainer.sft_step(model, &batch, &sft_options(30), 1e-3 / (1.0 + s as f64), &GO).unwrap();
        vec![metrics.loss.to_bits(), metrics.grad_norm.unwrap().to_bits()]
    };
    steps.map(step).collect()
}

/// Rollout, reward (the share of even ids), reference, update.
fn grpo(model: &mut Model, trainer: &mut Trainer, steps: std::ops::Range<u64>) -> Trace {
    let config = config(false);
    let reference = common::model(false, SEED, model.precision());
    let banned = banned_tokens(&config, &[]);
    let options = PolicyOptions { temperature: 1.0, banned, max_tokens: 30, save: Save::All };
    let objective = Config::default().resolve().unwrap();
    let sampling = SampleParams::default();
    let settings = Settings { sampling, max_new_tokens: 5, eos: vec![52], banned: vec![], seed: 11 };
    let settings = Arc::new(settings);
    let step = |s: u64| {
        let prompts: Vec<_> = (0..2).map(|p| prompt(s + p, &[image(&config, s + p, [1, 2, 4])], 2)).collect();
        let request = |(p, item): (usize, &coldstart_engine::Item)| Request {
            key: 2 * s + p as u64,
            ids: item.ids.clone(),
            images: item.images.clone(),
            num_samples: 3,
            settings: Arc::clone(&settings),
        };
        let requests = prompts.iter().enumerate().map(request).collect();
        let limits = Limits { max_cache_bytes: 1 << 24, ..Limits::default() };
        let samples = generate(model, requests, &limits, &GO).unwrap();
        let mut groups: Vec<PromptGroup> = Vec::new();
        for (item, samples) in prompts.into_iter().zip(samples) {
            let even = |ids: &[u32]| ids.iter().filter(|id| *id % 2 == 0).count() as f64 / ids.len() as f64;
            let rewards: Vec<Option<f64>> = samples.iter().map(|sample| Some(even(&sample.ids))).collect();
            let advantages = advantages(AdvantageEstimator::Grpo, &[0; 3], &rewards, 1e-6).unwrap();
            let response = |(sample, advantage): (coldstart_engine::generate::Completion, Option<f64>)| Response {
                truncated: sample.finish == Finish::Length,
                ids: sample.ids,
                advantage,
                ..Response::default()
            };
            let responses = samples.into_iter().zip(advantages).map(response).collect();
            groups.push(PromptGroup { prompt: item.ids, images: item.images, responses });
        }
        let ref_logp = log_probs(&reference, &groups, &options, &GO).unwrap();
        for (group, logp) in groups.iter_mut().zip(ref_logp) {
            group.responses.iter_mut().zip(logp).for_each(|(response, logp)| response.ref_logp = Some(logp));
        }
        let metrics = trainer.policy_update(model, &groups, &objective, &options, 1e-3, &GO).unwrap();
        let mut shown = vec![metrics.loss.to_bits(), metrics.grad_norm.to_bits()];
        for response in groups.iter().flat_map(|group| &group.responses) {
            shown.extend(response.ids.iter().map(|&id| u64::from(id)));
            shown.push(response.advantage.unwrap().to_bits());
        }
        shown
    };
    steps.map(step).collect()
}

fn start(precision: Precision) -> (Model, Trainer) {
    (model(false, SEED, precision), trainer())
}

/// A model with other weights and a new trainer, filled from `folder`.
fn resume(folder: &Path, precision: Precision) -> (Model, Trainer) {
    let (mut model, mut trainer) = (model(false, SEED + 1, precision), trainer());
    trainer.load_state(&mut model, folder).unwrap();
    (model, trainer)
}

fn bits(model: &Model) -> Vec<u64> {
    weights(model).into_iter().map(f64::to_bits).collect()
}

fn assert_resumes(run: Run, precision: Precision) {
    let (mut model, mut trainer) = start(precision);
    let trace = run(&mut model, &mut trainer, 0..6);
    let end = bits(&model);
    for saved_at in [1, 3] {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut model, mut trainer) = start(precision);
        run(&mut model, &mut trainer, 0..saved_at);
        trainer.save_state(&model, first.path()).unwrap();
        // Saved once more after the first resume: a loss may show on the second only.
        let (mut model, mut trainer) = resume(first.path(), precision);
        let mut resumed = run(&mut model, &mut trainer, saved_at..5);
        trainer.save_state(&model, second.path()).unwrap();
        let (mut model, mut trainer) = resume(second.path(), precision);
        resumed.extend(run(&mut model, &mut trainer, 5..6));
        assert_eq!(resumed, trace[saved_at as usize..], "{precision:?}, saved at {saved_at}");
        assert_eq!(bits(&model), end, "{precision:?}, saved at {saved_at}");
    }
}

#[test]
fn resumed_supervised_training_is_uninterrupted_training() {
    for precision in [Precision::F32, Precision::Bf16, Precision::F64] {
        assert_resumes(sft, precision);
    }
}

#[test]
fn resumed_policy_training_is_uninterrupted_training() {
    for precision in [Precision::F32, Precision::Bf16] {
        assert_resumes(grpo, precision);
    }
}

#[test]
fn every_item_of_the_state_matters() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut trainer) = start(Precision::F32);
    sft(&mut model, &mut trainer, 0..2);
    trainer.save_state(&model, folder.path()).unwrap();
    sft(&mut model, &mut trainer, 2..4);
    let end = bits(&model);
    for prefix in ["w.", "m.", "v.", "counters"] {
        let damaged = tempfile::tempdir().unwrap();
        for name in ["trainer.json", "trainer.safetensors"] {
            std::fs::copy(folder.path().join(name), damaged.path().join(name)).unwrap();
        }
        forget(damaged.path(), prefix);
        let (mut model, mut trainer) = resume(damaged.path(), Precision::F32);
        sft(&mut model, &mut trainer, 2..4);
        assert_ne!(bits(&model), end, "without {prefix} the run went on as if nothing were missing");
    }
}

#[test]
fn the_bytes_that_a_save_needs_are_known_before_it() {
    let (mut model, mut trainer) = start(Precision::F32);
    let data = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        safetensors::SafeTensors::read_metadata(&bytes).unwrap().1.data_len() as u64
    };
    for steps in [0..0, 0..1] {
        let folder = tempfile::tempdir().unwrap();
        sft(&mut model, &mut trainer, steps);
        trainer.save_state(&model, folder.path()).unwrap();
        assert_eq!(trainer.state_bytes(&model), data(&folder.path().join("trainer.safetensors")));
        for dtype in [SaveDtype::Float32, SaveDtype::Bfloat16] {
            model.save(folder.path(), dtype).unwrap();
            assert_eq!(model.saved_bytes(dtype), data(&folder.path().join("model.safetensors")));
        }
    }
}

/// Zeroes one kind of tensor, or the counters, in a saved state.
fn forget(folder: &Path, prefix: &str) {
    if prefix == "counters" {
        let path = folder.join("trainer.json");
        let json = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, json.replace("\"updates\":2", "\"updates\":0")).unwrap();
        return;
    }
    let path = folder.join("trainer.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let (start, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    for (name, info) in metadata.tensors().into_iter().filter(|(name, _)| name.starts_with(prefix)) {
        let (from, to) = info.data_offsets;
        assert!(to > from, "{name}");
        bytes[8 + start + from..8 + start + to].fill(0);
    }
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn skipped_updates_are_counted_across_a_resume() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut trainer) = start(Precision::F32);
    let norm = model.params().find("model.norm.weight").unwrap().id;
    sft(&mut model, &mut trainer, 0..1);
    let good = common::flat(model.params().value(norm))[0];
    write_value(model.params().value(norm), 0, f64::NAN);
    for _ in 0..2 {
        trainer.sft_step(&mut model, &samples(), &sft_options(1000), 1e-3, &GO).unwrap();
    }
    write_value(model.params().value(norm), 0, good);
    trainer.save_state(&model, folder.path()).unwrap();
    let (_, resumed) = resume(folder.path(), Precision::F32);
    assert_eq!(resumed.counters(), trainer.counters());
    assert_eq!(
        (resumed.counters().updates, resumed.counters().skipped, resumed.counters().skipped_in_a_row),
        (1, 2, 2)
    );
}

#[test]
fn a_state_of_something_else_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut trainer) = start(Precision::F32);
    sft(&mut model, &mut trainer, 0..1);
    trainer.save_state(&model, folder.path()).unwrap();
    let refusal = |mut other: Model| {
        let before = bits(&other);
        let error = train_common::trainer().load_state(&mut other, folder.path()).unwrap_err();
        assert_eq!(error.code(), "E_CKPT_MISMATCH");
        assert_eq!(bits(&other), before, "nothing is changed by a refused state");
        error.to_string()
    };
    assert!(refusal(common::model(false, 1, Precision::F64)).contains("expected F64"), "another precision");
    assert!(refusal(common::model(true, 1, Precision::F32)).contains("lm_head.weight"), "a tied head");
    let mut frozen = common::model(false, 1, Precision::F32);
    frozen.params_mut().freeze(&["visual.*".into()]).unwrap();
    let text = refusal(frozen);
    assert!(text.contains("visual.") && text.contains("expected it trained") && text.contains("got frozen"), "{text}");
}
