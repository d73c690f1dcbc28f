//! Policy updates: what they compute and what they leave alone.

mod common;
mod train_common;

use coldstart_engine::train::{PolicyOptions, PromptGroup, UpdateMetrics, log_probs};
use coldstart_engine::{Model, Precision, Save};
use coldstart_kernels::rng::{Key, Purpose};
use coldstart_objective::{Config, LossType, Objective};
use common::{assert_close, flat, gradients, model, relative, write_value};
use std::sync::atomic::AtomicBool;
use train_common::{GO, f64_model, groups, policy_options, trainer, weights};

fn objective(json: &str) -> Objective {
    serde_json::from_str::<Config>(json).unwrap().resolve().unwrap()
}

/// One of each kind of term, ratio, aggregation and mask.
fn objectives() -> Vec<Objective> {
    let all = [
        r#"{}"#,
        r#"{ "lossType": "paper" }"#,
        r#"{ "lossType": "gspo", "beta": 0.1, "epsilon": 0.2, "epsilonHigh": 0.2 }"#,
        r#"{ "lossType": "dr_grpo", "maxCompletionLength": 8, "useBiasCorrectionKl": true, "beta": 0.2 }"#,
        r#"{ "lossType": "dapo", "topEntropyQuantile": 0.5, "entropyCoef": 0.05 }"#,
        r#"{ "lossType": "cispo", "rolloutCorrection": "token-truncate" }"#,
        r#"{ "lossType": "sapo", "overlongFilter": true }"#,
        r#"{ "lossType": "vespo", "offPolicyMaskThreshold": 0.1 }"#,
        r#"{ "lossType": "gmpo", "entropyCoef": 0.1, "topEntropyQuantile": 0.7 }"#,
        r#"{ "lossType": "luspo" }"#,
    ];
    all.map(objective).to_vec()
}

fn update(
    model: &mut Model,
    groups: &[PromptGroup],
    objective: &Objective,
    options: &PolicyOptions,
    lr: f64,
) -> UpdateMetrics {
    trainer().policy_update(model, groups, objective, options, lr, &GO).unwrap()
}

#[test]
fn the_size_of_micro_batches_changes_nothing_but_rounding() {
    for objective in objectives() {
        let run = |max_tokens: usize| {
            let mut model = f64_model();
            let groups = groups(&model);
            let result = update(&mut model, &groups, &objective, &policy_options(max_tokens), 1e-3);
            (result, gradients(&model), weights(&model))
        };
        let (metrics, grads, values) = run(1000);
        for max_tokens in [1, 25] {
            let (other, other_grads, other_values) = run(max_tokens);
            assert!(
                (other.loss - metrics.loss).abs() < 1e-10
                    && (other.policy.ppo_kl - metrics.policy.ppo_kl).abs() < 1e-10
            );
            assert_close(&other_grads, &grads, 1e-9);
            assert!(relative(&other_values, &values) < 1e-10, "{objective:?}");
        }
    }
}

#[test]
fn gradients_by_weights_are_central_differences_of_the_loss() {
    // Stop-gradient losses are differentiated in the objective's own tests; here the whole chain from weights to loss.
    for objective in objectives()
        .into_iter()
        .filter(|o| !matches!(o.kind, coldstart_objective::Policy::Cispo | coldstart_objective::Policy::Vespo))
    {
        let mut model = f64_model();
        let groups = groups(&model);
        update(&mut model, &groups, &objective, &policy_options(40), 0.0);
        let grads = gradients(&model);
        for name in ["model.layers.0.self_attn.q_proj.weight", "lm_head.weight", "visual.merger.mlp.0.bias"] {
            let part = model.params().find(name).unwrap();
            let cols: usize = model.params().value(part.id).dims()[1..].iter().product();
            let (at, start) = (3, part.rows.start * cols);
            let storage = model.params().value(part.id).clone();
            let value = flat(&model.params().hub_value(name).unwrap())[at];
            let mut loss_at = |x: f64| {
                let id = model.params().find(name).unwrap().id;
                write_value(&storage, start + at, x);
                model.params().changed(id);
                let loss = update(&mut model, &groups, &objective, &policy_options(40), 0.0).loss;
                write_value(&storage, start + at, value);
                model.params().changed(id);
                loss
            };
            let step = 1e-5;
            let expected = (loss_at(value + step) - loss_at(value - step)) / (2.0 * step);
            let found = grads[name][at];
            assert!(
                (found - expected).abs() < 1e-7 * expected.abs().max(1.0),
                "{objective:?} {name}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn without_old_log_probs_the_ratio_is_exactly_one() {
    let mut model = model(false, 3, Precision::F32);
    let mut groups = groups(&model);
    groups.iter_mut().flat_map(|g| &mut g.responses).for_each(|r| r.old_logp = None);
    let result = update(&mut model, &groups, &objective("{}"), &policy_options(30), 1e-3);
    assert_eq!((result.policy.ratio_min, result.policy.ratio_max, result.policy.ppo_kl), (1.0, 1.0, 0.0));
}

#[test]
fn given_old_log_probs_of_the_same_weights_change_nothing() {
    let run = |give: bool| {
        let mut model = model(false, 3, Precision::F32);
        let mut groups = groups(&model);
        let own = log_probs(&model, &groups, &policy_options(30), &GO).unwrap();
        for (group, own) in groups.iter_mut().zip(own) {
            group.responses.iter_mut().zip(own).for_each(|(r, own)| r.old_logp = give.then_some(own));
        }
        update(&mut model, &groups, &objective("{}"), &policy_options(30), 1e-3);
        weights(&model)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn log_probs_do_not_depend_on_the_packing() {
    let model = f64_model();
    let groups = groups(&model);
    let run =
        |max_tokens: usize| log_probs(&model, &groups, &policy_options(max_tokens), &GO).unwrap().concat().concat();
    let whole = run(1000);
    for max_tokens in [1, 30] {
        assert!(run(max_tokens).iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-11));
    }
}

#[test]
fn a_response_without_advantage_is_as_if_it_were_not_there() {
    let run = |remove: bool| {
        let mut model = f64_model();
        let mut groups = groups(&model);
        if remove {
            groups[1].responses.remove(1);
        } else {
            groups[1].responses[1].advantage = None;
        }
        let result = update(&mut model, &groups, &objective(r#"{ "lossType": "grpo" }"#), &policy_options(1000), 1e-3);
        (weights(&model), result.skipped_rows)
    };
    let ((without, none), (masked, one)) = (run(true), run(false));
    assert_eq!((none, one), (0, 1));
    assert_eq!(without, masked);
}

#[test]
fn a_good_response_becomes_more_likely_and_a_bad_one_less() {
    for objective in LossType::ALL.map(|name| {
        Config { loss_type: Some(name), max_completion_length: Some(8), ..Config::default() }.resolve().unwrap()
    }) {
        let mut model = f64_model();
        let mut groups = groups(&model);
        groups.truncate(1);
        for (r, response) in groups[0].responses.iter_mut().enumerate() {
            (response.old_logp, response.advantage) = (None, Some([1.0, 0.0, -1.0][r]));
        }
        let sums = |logp: &[Vec<Vec<f64>>]| [0, 2].map(|r| logp[0][r].iter().sum::<f64>());
        let before = sums(&log_probs(&model, &groups, &policy_options(1000), &GO).unwrap());
        update(&mut model, &groups, &objective, &policy_options(1000), 1e-3);
        let after = sums(&log_probs(&model, &groups, &policy_options(1000), &GO).unwrap());
        assert!(after[0] > before[0] && after[1] < before[1], "{objective:?}: {before:?} to {after:?}");
    }
}

#[test]
fn an_aborted_update_leaves_weights_and_counters_untouched() {
    let mut model = f64_model();
    let groups = groups(&model);
    let before = weights(&model);
    let mut trainer = trainer();
    let error = trainer
        .policy_update(&mut model, &groups, &objective("{}"), &policy_options(30), 1e-3, &AtomicBool::new(true))
        .unwrap_err();
    assert_eq!(error.code(), "E_ABORTED");
    assert_eq!((weights(&model), trainer.counters().updates), (before, 0));
    assert_eq!(
        log_probs(&model, &groups, &policy_options(30), &AtomicBool::new(true)).unwrap_err().code(),
        "E_ABORTED"
    );
}

#[test]
fn numbers_that_are_not_finite_never_reach_the_weights() {
    type Poison = fn(&mut PromptGroup);
    let poisons: [(&str, Poison); 4] = [
        ("NaN", |g| g.responses[1].advantage = Some(f64::NAN)),
        ("NaN", |g| g.responses[0].ref_logp.as_mut().unwrap()[0] = f64::NEG_INFINITY),
        ("NaN", |g| g.responses[2].old_logp.as_mut().unwrap()[1] = f64::NAN),
        // Finite in f64, beyond f32: the loss is a number and the gradient is not.
        ("gradient norm", |g| g.responses[0].advantage = Some(1e200)),
    ];
    for (reason, poison) in poisons {
        let mut model = model(false, 3, Precision::F32);
        let mut groups = groups(&model);
        poison(&mut groups[1]);
        let before = weights(&model);
        let mut trainer = trainer();
        let result =
            trainer.policy_update(&mut model, &groups, &objective("{}"), &policy_options(1000), 1e-3, &GO).unwrap();
        assert!(result.skipped.as_ref().unwrap().contains(reason), "{:?}", result.skipped);
        assert_eq!((weights(&model), trainer.counters().updates, trainer.counters().skipped), (before, 0, 1));
    }
}

#[test]
fn responses_of_advantage_zero_count_but_need_no_forward() {
    // A KL weight too small to matter makes the engine compute every response; without one it leaves out those that add nothing.
    let run = |config: &str| {
        let mut model = f64_model();
        let mut groups = groups(&model);
        groups[0].responses.iter_mut().for_each(|response| response.advantage = Some(0.0));
        let result = update(&mut model, &groups, &objective(config), &policy_options(1000), 1e-3);
        (result, weights(&model))
    };
    let (computed, expected) = run(r#"{ "beta": 1e-300 }"#);
    let (left_out, got) = run(r#"{ "beta": 0 }"#);
    assert!((computed.loss - left_out.loss).abs() < 1e-14);
    assert!((computed.grad_norm - left_out.grad_norm).abs() < 1e-12);
    assert_ne!(computed.policy.entropy_loss, left_out.policy.entropy_loss, "a mean over the tokens that were computed");
    assert_eq!(expected.len(), got.len());
    for (a, b) in expected.iter().zip(&got) {
        assert!((a - b).abs() < 1e-9, "{a} and {b}");
    }
}

#[test]
fn an_update_without_anything_to_learn_leaves_weights_and_state_alone() {
    let mut model = f64_model();
    let mut groups = groups(&model);
    groups.iter_mut().flat_map(|group| &mut group.responses).for_each(|response| response.advantage = Some(0.0));
    let (before, mut trainer) = (weights(&model), trainer());
    let result = trainer
        .policy_update(&mut model, &groups, &objective(r#"{ "beta": 0 }"#), &policy_options(1000), 1e-3, &GO)
        .unwrap();
    assert_eq!((result.loss, result.grad_norm), (0.0, 0.0));
    assert_eq!((weights(&model), trainer.counters().updates), (before, 0));
}

#[test]
fn mistakes_are_named_before_the_first_forward() {
    type Mistake = fn(&mut PromptGroup);
    let mistakes: [(&str, Mistake); 5] = [
        ("group 1, response 2: expected at least one token, got none", |g| g.responses[2].ids.clear()),
        ("group 1, response 0: token 1 is 50, which is banned", |g| g.responses[0].ids[1] = 50),
        ("group 1, response 0: expected", |g| g.responses[0].old_logp = Some(vec![])),
        ("group 1, response 1: expected refLogp, as beta is 0.01, got none", |g| g.responses[1].ref_logp = None),
        ("got none that counts", |g| g.responses.iter_mut().for_each(|r| r.advantage = None)),
    ];
    for (text, mistake) in mistakes {
        let mut model = f64_model();
        let mut groups = groups(&model);
        mistake(&mut groups[1]);
        if text.contains("counts") {
            groups = vec![groups[1].clone()];
        }
        let error = trainer()
            .policy_update(&mut model, &groups, &objective("{}"), &policy_options(1000), 1e-3, &GO)
            .unwrap_err();
        assert_eq!(error.code(), "E_USAGE");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn metrics_have_the_names_of_the_field() {
    let mut model = f64_model();
    let groups = groups(&model);
    let metrics = update(&mut model, &groups, &objective("{}"), &policy_options(1000), 1e-3);
    let json = serde_json::to_value(&metrics).unwrap();
    for name in [
        "actor/pg_loss",
        "actor/kl_loss",
        "actor/kl_coef",
        "actor/pg_clipfrac_higher",
        "actor/pg_clipfrac_lower",
        "actor/entropy",
        "actor/entropy_loss",
        "actor/ppo_kl",
        "actor/grad_norm",
        "actor/lr",
        "actor/ratio_max",
        "actor/ratio_min",
        "critic/advantages/mean",
        "response_length/clip_ratio",
        "prompt_length/max",
        "batch/zero_std_ratio",
        "batch/truncated_ratio",
        "batch/skipped_rows",
        "mismatch/logp_diff_mean",
        "mismatch/logp_diff_max",
        "train/skipped_updates",
    ] {
        assert!(json[name].is_number(), "{name}: {}", json[name]);
    }
    let lengths: Vec<f64> = groups.iter().flat_map(|g| &g.responses).map(|r| r.ids.len() as f64).collect();
    assert_eq!(metrics.response_length_mean, lengths.iter().sum::<f64>() / 9.0);
    assert!((metrics.loss - metrics.policy.pg_loss - 0.01 * metrics.policy.kl_loss.unwrap()).abs() < 1e-12);
}

#[test]
fn recomputation_gives_the_same_bits() {
    let run = |save: Save| {
        let mut model = model(false, 3, Precision::F32);
        let groups = groups(&model);
        update(&mut model, &groups, &objective("{}"), &PolicyOptions { save, ..policy_options(30) }, 1e-3);
        weights(&model)
    };
    assert_eq!(run(Save::All), run(Save::Inputs));
}

/// Two arms: after the prompt, one of two tokens is paid.
#[test]
fn every_loss_learns_a_two_armed_bandit() {
    const ARMS: [u32; 2] = [11, 23];
    for name in LossType::ALL {
        let config =
            Config { loss_type: Some(name), max_completion_length: Some(1), beta: Some(0.0), ..Config::default() };
        let objective = config.resolve().unwrap();
        let banned: Vec<u32> = (0..60).filter(|id| !ARMS.contains(id)).collect();
        let options = PolicyOptions { temperature: 1.0, banned, max_tokens: 4096, save: Save::All };
        let mut model = model(true, 8, Precision::F32);
        let mut trainer = trainer();
        let probe = |arm: u32| PromptGroup {
            prompt: vec![3, 5, 8],
            images: vec![],
            responses: vec![coldstart_engine::train::Response { ids: vec![arm], ..Default::default() }],
        };
        let probability =
            |model: &Model, arm: u32| log_probs(model, &[probe(arm)], &options, &GO).unwrap()[0][0][0].exp();
        // The arm that the untrained policy likes less is the one that pays.
        let paid = if probability(&model, ARMS[0]) < 0.5 { ARMS[0] } else { ARMS[1] };
        let mut steps = 0;
        while steps < 200 && probability(&model, paid) < 0.9 {
            let first = probability(&model, ARMS[0]);
            let draw = |sample: u64| ARMS[usize::from(Key::new(1, Purpose::Sample).uniform(steps, sample, 0) >= first)];
            let ids: Vec<u32> = (0..16).map(draw).collect();
            let rewards: Vec<Option<f64>> = ids.iter().map(|id| Some(f64::from(*id == paid))).collect();
            let advantages = coldstart_objective::advantages(name.advantage(), &[0; 16], &rewards, 1e-6).unwrap();
            let responses = ids.iter().zip(advantages).map(|(&id, advantage)| coldstart_engine::train::Response {
                ids: vec![id],
                advantage,
                ..Default::default()
            });
            let group = PromptGroup { responses: responses.collect(), ..probe(paid) };
            trainer.policy_update(&mut model, &[group], &objective, &options, 2e-3, &GO).unwrap();
            steps += 1;
        }
        assert!(
            steps > 0 && probability(&model, paid) >= 0.9,
            "{name:?}: {} after {steps} steps",
            probability(&model, paid)
        );
    }
}
