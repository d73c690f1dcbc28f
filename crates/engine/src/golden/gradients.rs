//! The gradient of the mean loss by every parameter of one case.

use super::case::Case;
use super::report::{Check, Limits, flat, relative_norm};
use crate::batch::{Item, Packed};
use crate::qwen2_5_vl::{Model, Save};
use crate::{Error, Result};
use candle_core::Tensor;
use coldstart_kernels::head;

pub(super) fn check(model: &mut Model, case: &Case) -> Result<Vec<Check>> {
    let names = case.names("grad.")?;
    if names.is_empty() {
        return Ok(vec![Check::absent(&case.name, "grad.*")]);
    }
    let item = case.item("", &model.config().vision)?;
    let targets = item.targets.iter().filter(|t| **t).count();
    model.params_mut().zero_grad();
    accumulate(model, &item, targets)?;
    let mut deviations = Vec::new();
    for part in model.params().parts() {
        let expected = case.floats(&format!("grad.{}", part.name))?.unwrap_or_default();
        // A parameter without a gradient, or one the reference does not know, deviates without bound.
        let found = model.params().hub_grad(part.name).map(|grad| flat(&grad)).transpose()?;
        let deviation = found.map_or(f64::INFINITY, |found| relative_norm(&found, &expected));
        deviations.push((deviation, part.name.to_string()));
    }
    let unknown = names.iter().filter(|name| model.params().find(name).is_none()).count();
    deviations.sort_by(|a, b| a.0.total_cmp(&b.0));
    let limits = Limits::of(model.precision());
    let (worst, name) = deviations.last().ok_or_else(|| Error::Usage("a model without parameters".into()))?;
    let median = deviations[deviations.len() / 2].0;
    let what = format!("grad.* ({} tensors)", deviations.len());
    Ok(vec![
        Check::new(&case.name, &what, format!("worst of the norm: {name}"), *worst, limits.gradient),
        Check::new(&case.name, &what, "median of the norm", median, limits.median_gradient),
        Check::new(&case.name, &what, "tensors the model lacks", unknown as f64, 0.0),
    ])
}

/// Adds the gradient of `Σ −logp / targets` over the item's targets; returns `Σ −logp`.
pub(super) fn accumulate(model: &Model, item: &Item, targets: usize) -> Result<f64> {
    let packed = Packed::new(std::slice::from_ref(item), model.config())?;
    let activations = model.forward(&packed, Save::All)?;
    let hidden = &activations.hidden;
    let stats = head::forward(hidden, model.head(), &packed.head, 1.0, &[])?;
    let c = vec![-1.0 / targets as f64; stats.logp.len()];
    let b = vec![0.0; c.len()];
    let dh = Tensor::zeros(hidden.shape(), hidden.dtype(), hidden.device())?;
    head::backward(hidden, model.head(), &packed.head, &stats, 1.0, &[], &c, &b, &dh, model.head_acc())?;
    let saved = activations.saved.ok_or_else(|| Error::Usage("the forward kept nothing".into()))?;
    model.backward(&packed, &dh, saved)?;
    Ok(-stats.logp.iter().sum::<f64>())
}
