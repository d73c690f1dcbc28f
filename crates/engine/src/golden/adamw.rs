//! Optimizer steps over all samples of a case: losses, gradient norms before clipping, and the weights afterwards.

use super::case::Case;
use super::report::{Check, Limits, flat, relative_norm};
use crate::Result;
use crate::qwen2_5_vl::{Model, Save};
use crate::train::{OptimizerOptions, SftOptions, Trainer};
use std::sync::atomic::AtomicBool;

/// The recorded run's settings.
const LR: f64 = 2e-3;

fn options() -> OptimizerOptions {
    OptimizerOptions { adam_beta2: 0.95, weight_decay: 0.1, max_grad_norm: Some(1.0), ..OptimizerOptions::default() }
}

pub(super) fn check(model: &mut Model, case: &Case) -> Result<Vec<Check>> {
    let mut items = Vec::new();
    while !case.names(&format!("{}.", items.len()))?.is_empty() {
        items.push(case.item(&format!("{}.", items.len()), &model.config().vision)?);
    }
    let expected_losses = case.floats("losses")?.unwrap_or_default();
    let expected_norms = case.floats("grad_norms")?.unwrap_or_default();
    let mut trainer = Trainer::new(options())?;
    // One sample to a micro-batch, as in the recorded run.
    let sft = SftOptions { max_tokens: 1, save: Save::All, group_token_mean: None };
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for _ in &expected_losses {
        let metrics = trainer.sft_step(model, &items, &sft, LR, &AtomicBool::new(false))?;
        losses.push(metrics.loss);
        norms.push(metrics.grad_norm.unwrap_or(f64::NAN));
    }
    let limits = Limits::of(model.precision());
    let mut checks = vec![
        Check::new(&case.name, "losses", "of the norm", relative_norm(&losses, &expected_losses), limits.loss),
        Check::new(&case.name, "grad_norms", "of the norm", relative_norm(&norms, &expected_norms), limits.grad_norm),
    ];
    checks.push(weights(model, case, limits.weights)?);
    Ok(checks)
}

fn weights(model: &Model, case: &Case, limit: f64) -> Result<Check> {
    let names = case.names("final.")?;
    let mut worst = (0.0, String::new());
    for name in &names {
        let expected = case.floats(&format!("final.{name}"))?.unwrap_or_default();
        let found = model.params().hub_value(name).map(|value| flat(&value)).transpose()?;
        let deviation = found.map_or(f64::INFINITY, |found| relative_norm(&found, &expected));
        if deviation.is_nan() || deviation > worst.0 {
            worst = (deviation, name.clone());
        }
    }
    let what = format!("final.* ({} tensors)", names.len());
    if names.is_empty() {
        return Ok(Check::absent(&case.name, what));
    }
    Ok(Check::new(&case.name, what, format!("worst of the norm: {}", worst.1), worst.0, limit))
}
