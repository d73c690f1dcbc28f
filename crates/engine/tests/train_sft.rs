//! Supervised steps: what they compute, what they leave alone, and that they learn.

mod common;
mod train_common;

use coldstart_engine::train::{GroupTokenMean, OptimizerOptions, PerGroup, SftOptions, Trainer, evaluate_sft};
use coldstart_engine::{Cancel, Item, Model, Precision, Save};
use common::{assert_close, config, gradients, image, model, prompt, relative, with_targets, write_value};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use train_common::{GO, f64_model, samples, sft_options, trainer, weights};

#[test]
fn the_size_of_micro_batches_changes_nothing_but_rounding() {
    let run = |max_tokens: usize| {
        let mut model = f64_model();
        let mut trainer = trainer();
        let losses: Vec<f64> = (0..3)
            .map(|_| trainer.sft_step(&mut model, &samples(), &sft_options(max_tokens), 1e-3, &GO).unwrap().loss)
            .collect();
        (losses, gradients(&model), weights(&model))
    };
    let (losses, grads, values) = run(1000);
    for max_tokens in [1, 30] {
        let (other_losses, other_grads, other_values) = run(max_tokens);
        assert!(relative(&other_losses, &losses) < 1e-10);
        assert_close(&other_grads, &grads, 1e-10);
        assert!(relative(&other_values, &values) < 1e-10);
    }
}

#[test]
fn one_thread_or_two_give_the_same_bits() {
    for precision in [Precision::F32, Precision::Bf16] {
        let run = |threads: usize| {
            let mut model = model(false, 3, precision);
            coldstart_gemm::pool::with_threads(threads, || {
                trainer().sft_step(&mut model, &samples(), &sft_options(40), 1e-3, &GO).unwrap();
            });
            weights(&model)
        };
        assert_eq!(run(1), run(2));
    }
}

#[test]
fn recomputation_gives_the_same_bits() {
    let run = |save: Save| {
        let mut model = model(false, 3, Precision::F32);
        let options = SftOptions { save, ..sft_options(30) };
        trainer().sft_step(&mut model, &samples(), &options, 1e-3, &GO).unwrap();
        weights(&model)
    };
    assert_eq!(run(Save::All), run(Save::Inputs));
}

#[test]
fn the_loss_is_the_mean_over_all_targets() {
    let model = f64_model();
    let items = samples();
    let whole = evaluate_sft(&model, &items, &sft_options(1000), &GO).unwrap();
    let (mut sum, mut hits, mut targets) = (0.0, 0.0, 0);
    for item in items.iter().filter(|item| item.targets.contains(&true)) {
        let one = evaluate_sft(&model, std::slice::from_ref(item), &sft_options(1000), &GO).unwrap();
        sum += one.loss * one.num_target_tokens as f64;
        hits += one.token_acc * one.num_target_tokens as f64;
        targets += one.num_target_tokens;
    }
    assert_eq!(whole.num_target_tokens, targets);
    assert!((whole.loss - sum / targets as f64).abs() < 1e-12);
    assert!((whole.token_acc - hits / targets as f64).abs() < 1e-12);
}

#[test]
fn group_token_mean_is_the_mean_of_the_groups() {
    let mut items = samples();
    items.truncate(4);
    let loss = |items: &[Item], group_token_mean| {
        let options = SftOptions { group_token_mean, ..sft_options(1000) };
        evaluate_sft(&f64_model(), items, &options, &GO).unwrap().loss
    };
    let pair = |i: usize, j: usize| loss(&[items[i].clone(), items[j].clone()], None);
    let consecutive = loss(&items, Some(GroupTokenMean { rows: 2, interleaved: false }));
    assert!((consecutive - (pair(0, 1) + pair(2, 3)) / 2.0).abs() < 1e-12);
    let dealt = loss(&items, Some(GroupTokenMean { rows: 2, interleaved: true }));
    assert!((dealt - (pair(0, 2) + pair(1, 3)) / 2.0).abs() < 1e-12);
}

#[test]
fn an_aborted_step_leaves_weights_and_counters_untouched() {
    let mut model = f64_model();
    let mut trainer = trainer();
    let before = weights(&model);
    let cancel = AtomicBool::new(true);
    let error = trainer.sft_step(&mut model, &samples(), &sft_options(30), 1e-3, &cancel).unwrap_err();
    assert_eq!(error.code(), "E_ABORTED");
    assert_eq!((weights(&model), trainer.counters().updates), (before, 0));
    cancel.store(false, Ordering::Relaxed);
    let after_abort = trainer.sft_step(&mut model, &samples(), &sft_options(30), 1e-3, &cancel).unwrap();
    let undisturbed = Trainer::new(OptimizerOptions::default()).unwrap().sft_step(
        &mut f64_model(),
        &samples(),
        &sft_options(30),
        1e-3,
        &GO,
    );
    assert_eq!(after_abort.grad_norm, undisturbed.unwrap().grad_norm, "nothing of the aborted sum is left");
}

/// Raised from the poll with this number on.
struct AfterPolls {
    left: AtomicUsize,
}

impl Cancel for AfterPolls {
    fn is_raised(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn a_step_aborted_at_any_poll_changes_nothing() {
    let (mut model, mut trainer) = (f64_model(), trainer());
    let before = weights(&model);
    let step = |model: &mut Model, trainer: &mut Trainer, polls| {
        let cancel = AfterPolls { left: AtomicUsize::new(polls) };
        trainer.sft_step(model, &samples(), &sft_options(1), 1e-3, &cancel)
    };
    let mut polls = 0;
    while let Err(error) = step(&mut model, &mut trainer, polls) {
        assert_eq!(error.code(), "E_ABORTED");
        assert_eq!((weights(&model) == before, trainer.counters().updates), (true, 0), "aborted at poll {polls}");
        polls += 1;
    }
    assert_eq!(polls, samples().iter().filter(|item| item.targets.contains(&true)).count(), "one poll a micro-batch");
    let mut undisturbed = f64_model();
    let mut other = Trainer::new(OptimizerOptions::default()).unwrap();
    other.sft_step(&mut undisturbed, &samples(), &sft_options(1), 1e-3, &GO).unwrap();
    assert_eq!(weights(&model), weights(&undisturbed), "nothing of the aborted sums is left");
}

#[test]
fn a_loss_that_is_no_number_never_reaches_the_weights() {
    let mut model = f64_model();
    let norm = model.params().find("model.norm.weight").unwrap();
    write_value(model.params().value(norm.id), 0, f64::NAN);
    let mut trainer = Trainer::new(OptimizerOptions { max_skips: 2, ..OptimizerOptions::default() }).unwrap();
    let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
    let before = bits(weights(&model));
    for skipped in 1..=2 {
        let metrics = trainer.sft_step(&mut model, &samples(), &sft_options(1000), 1e-3, &GO).unwrap();
        assert!(metrics.skipped.unwrap().contains("the loss of sample 0"));
        assert_eq!((metrics.skipped_updates, trainer.counters().updates), (skipped, 0));
    }
    let error = trainer.sft_step(&mut model, &samples(), &sft_options(1000), 1e-3, &GO).unwrap_err();
    assert_eq!(error.code(), "E_DIVERGED");
    assert_eq!(bits(weights(&model)), before);
}

#[test]
fn a_learning_rate_that_is_no_number_is_refused_before_anything_is_computed() {
    let mut model = f64_model();
    let before = weights(&model);
    for lr in [f64::NAN, f64::INFINITY, -1.0] {
        let error = trainer().sft_step(&mut model, &samples(), &sft_options(1000), lr, &GO).unwrap_err();
        assert_eq!(error.code(), "E_CONFIG");
    }
    assert_eq!(weights(&model), before);
}

#[test]
fn a_step_without_targets_is_an_error() {
    let items: Vec<Item> = samples().into_iter().skip(5).collect();
    let error = trainer().sft_step(&mut f64_model(), &items, &sft_options(1000), 1e-3, &GO).unwrap_err();
    assert_eq!(error.code(), "E_USAGE");
}

#[test]
fn frozen_parts_and_parts_of_scale_zero_stay() {
    let mut model = f64_model();
    model.params_mut().freeze(&["visual.blocks.*".into(), "visual.patch_embed.*".into()]).unwrap();
    let before = model.copy().unwrap();
    let lr_scale = PerGroup { vision: 1.0, merger: 0.0, language: 1.0 };
    let mut trainer = Trainer::new(OptimizerOptions { lr_scale, ..OptimizerOptions::default() }).unwrap();
    trainer.sft_step(&mut model, &samples(), &sft_options(1000), 1e-3, &GO).unwrap();
    for part in model.params().parts() {
        let value = |m: &coldstart_engine::Model| common::flat(&m.params().hub_value(part.name).unwrap());
        let stays = part.name.starts_with("visual.");
        assert_eq!(value(&model) == value(&before), stays, "{}", part.name);
    }
}

#[test]
fn the_clip_bounds_the_gradient_that_the_moments_see() {
    // From zero moments the scale of a gradient cancels in m̂/√v̂ unless ε is large.
    let run = |max_grad_norm: Option<f64>| {
        let mut model = f64_model();
        let options = OptimizerOptions { max_grad_norm, adam_epsilon: 1.0, ..OptimizerOptions::default() };
        let mut trainer = Trainer::new(options).unwrap();
        let before = weights(&model);
        let norm = trainer.sft_step(&mut model, &samples(), &sft_options(1000), 1e-3, &GO).unwrap().grad_norm.unwrap();
        let moved: f64 = weights(&model).iter().zip(&before).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        (norm, moved)
    };
    let ((norm, free), (same, clipped)) = (run(None), run(Some(1e-3)));
    assert_eq!(norm, same, "the norm is reported before clipping");
    assert!(norm > 0.1 && clipped < free / 10.0, "norm {norm}, moved {free} and {clipped}");
}

#[test]
fn a_tiny_model_memorises_ten_image_questions() {
    let config = config(false);
    let items: Vec<Item> = (0..10)
        .map(|i| {
            let mut item = prompt(0, &[image(&config, 40 + i, [1, 4, 4])], 3);
            item.ids.extend([i as u32, (7 * i as u32 + 3) % 50]);
            with_targets(item, 2)
        })
        .collect();
    // The questions are the same ten times: only the images tell the answers apart.
    let mut model = model(false, 1, Precision::F32);
    let mut trainer = trainer();
    let mut loss = f64::INFINITY;
    for _ in 0..300 {
        loss = trainer.sft_step(&mut model, &items, &sft_options(4096), 1e-2, &GO).unwrap().loss;
        if loss < 0.02 {
            break;
        }
    }
    assert!(loss < 0.02, "loss {loss} after 300 steps");
    assert_eq!(evaluate_sft(&model, &items, &sft_options(4096), &GO).unwrap().token_acc, 1.0);
}
