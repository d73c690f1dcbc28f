//! AdamW over every trained tensor, with a clipped global norm.

use crate::params::{Group, ParamId, Params, Part, Trainable};
use crate::{Error, Result};
use candle_core::Tensor;
use coldstart_kernels::adamw::{self, AdamW};
use coldstart_kernels::grad_norm;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Settings of a run's optimizer. The learning rate comes with each step.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OptimizerOptions {
    pub adam_beta1: f64,
    pub adam_beta2: f64,
    pub adam_epsilon: f64,
    /// Decoupled decay of the tensors that `decay` names.
    pub weight_decay: f64,
    /// Which tensors decay.
    pub decay: Decay,
    /// Gradients are scaled by `min(1, max_grad_norm / (norm + 1e-6))`; null for no clipping.
    pub max_grad_norm: Option<f64>,
    /// Factors of the learning rate by part of the model.
    pub lr_scale: PerGroup<f64>,
    /// Factors of the weight decay by part of the model.
    pub weight_decay_scale: PerGroup<f64>,
    /// Skipped updates in a row that are tolerated; one more is `E_DIVERGED`.
    pub max_skips: u32,
}

impl Default for OptimizerOptions {
    fn default() -> Self {
        let ones = PerGroup { vision: 1.0, merger: 1.0, language: 1.0 };
        Self {
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            weight_decay: 0.01,
            decay: Decay::Matrices,
            max_grad_norm: Some(1.0),
            lr_scale: ones,
            weight_decay_scale: ones,
            max_skips: 3,
        }
    }
}

/// Which tensors decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decay {
    /// Those with two or more dimensions.
    #[default]
    Matrices,
    /// All, norms and biases included, as the RL code released with the paper does.
    All,
    /// As the SFT code released with the paper does, by name: not biases and not tensors of a module called `norm` or `…layernorm`.
    /// Norms under other names (`norm1`, `norm2`, `ln_q`) decay.
    Names,
}

/// A value for each part of the model.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PerGroup<T> {
    pub vision: T,
    pub merger: T,
    pub language: T,
}

impl<T: Copy> PerGroup<T> {
    fn get(&self, group: Group) -> T {
        match group {
            Group::Vision => self.vision,
            Group::Merger => self.merger,
            Group::Language => self.language,
        }
    }
}

impl OptimizerOptions {
    pub(super) fn validate(self) -> Result<Self> {
        let check = |field: &str, value: f64, ok: bool, expected: &str| match value.is_finite() && ok {
            true => Ok(()),
            false => Err(Error::Config(format!("{field}: expected {expected}, got {value}"))),
        };
        for (field, beta) in [("adamBeta1", self.adam_beta1), ("adamBeta2", self.adam_beta2)] {
            check(field, beta, (0.0..1.0).contains(&beta), "a number of at least 0 and below 1")?;
        }
        check("adamEpsilon", self.adam_epsilon, self.adam_epsilon > 0.0, "a number above 0")?;
        check("weightDecay", self.weight_decay, self.weight_decay >= 0.0, "a number of at least 0")?;
        if let Some(norm) = self.max_grad_norm {
            check("maxGradNorm", norm, norm > 0.0, "a number above 0, or null")?;
        }
        for group in Group::ALL {
            let (lr, decay) = (self.lr_scale.get(group), self.weight_decay_scale.get(group));
            check(&format!("lrScale.{}", group.name()), lr, lr >= 0.0, "a number of at least 0")?;
            check(&format!("weightDecayScale.{}", group.name()), decay, decay >= 0.0, "a number of at least 0")?;
        }
        Ok(self)
    }
}

impl Decay {
    fn covers(self, part: &Part) -> bool {
        match self {
            Decay::Matrices => part.decays(),
            Decay::All => true,
            Decay::Names => {
                let spared = |module: &str| module == "bias" || module == "norm" || module.contains("layernorm");
                !part.name.split('.').any(spared)
            }
        }
    }
}

/// The moments, in the shape of the storages they belong to.
pub(super) struct Optimizer {
    pub options: OptimizerOptions,
    moments: HashMap<ParamId, Moments>,
}

/// Running means of the gradient and of its square.
#[derive(Clone)]
pub(super) struct Moments {
    pub m: Tensor,
    pub v: Tensor,
}

/// `√Σ g²` over all trained tensors that have a gradient; not finite if any element is not.
///
/// # Errors
/// `E_USAGE` when nothing has a gradient.
pub(super) fn norm(params: &Params) -> Result<f64> {
    let mut squares = 0.0;
    let mut any = false;
    for t in params.trainable() {
        if let Some(grad) = t.grad {
            squares += grad_norm::sum_squares(grad, t.part.rows.clone())?;
            any = true;
        }
    }
    if any {
        Ok(squares.sqrt())
    } else {
        Err(Error::Usage("every parameter is frozen: there is nothing to train".into()))
    }
}

impl Optimizer {
    pub fn new(options: OptimizerOptions) -> Self {
        Self { options, moments: HashMap::new() }
    }

    /// One update, the `update`-th from 1, by the accumulated gradients of global norm `norm`.
    ///
    /// A tensor that nothing contributed to (the tower in a step without images) keeps value and moments, as in PyTorch; unlike there
    /// its bias correction follows the run's count, not its own, which matters only if its first gradient comes late.
    pub fn step(&mut self, params: &Params, lr: f64, norm: f64, update: u64) -> Result<()> {
        let grad_scale = self.options.max_grad_norm.map_or(1.0, |clip| (clip / (norm + 1e-6)).min(1.0));
        for t in params.trainable() {
            let Some(grad) = t.grad else { continue };
            let settings = self.settings(&t, lr, grad_scale, update);
            let moments = self.moments_of(t.part.id, t.value)?;
            adamw::step(t.value, grad, &moments.m, &moments.v, t.part.rows.clone(), &settings)?;
            params.changed(t.part.id);
        }
        Ok(())
    }

    fn settings(&self, t: &Trainable, lr: f64, grad_scale: f64, step: u64) -> AdamW {
        let o = &self.options;
        let decay = if o.decay.covers(&t.part) { o.weight_decay * o.weight_decay_scale.get(t.part.group) } else { 0.0 };
        AdamW {
            lr: lr * o.lr_scale.get(t.part.group),
            beta1: o.adam_beta1,
            beta2: o.adam_beta2,
            eps: o.adam_epsilon,
            weight_decay: decay,
            step,
            grad_scale,
        }
    }

    /// The moments of a storage, zero before its first gradient.
    pub fn moments_of(&mut self, id: ParamId, value: &Tensor) -> Result<&Moments> {
        Ok(match self.moments.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Moments { m: value.zeros_like()?, v: value.zeros_like()? }),
        })
    }

    /// The moments of a storage that has had a gradient.
    pub fn moments(&self, id: ParamId) -> Option<&Moments> {
        self.moments.get(&id)
    }

    pub fn forget(&mut self) {
        self.moments.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part<'a>(name: &'a str, shape: &'a [usize], rows: &'a std::ops::Range<usize>) -> Part<'a> {
        Part { id: ParamId(0), name, shape, rows, group: Group::Language, trainable: true }
    }

    #[test]
    fn the_three_decay_rules_differ_on_norms_and_biases() {
        let rows = 0..1;
        let decays = |name: &str, shape: &[usize]| {
            [Decay::Matrices, Decay::All, Decay::Names].map(|rule| rule.covers(&part(name, shape, &rows)))
        };
        assert_eq!(decays("model.layers.0.self_attn.q_proj.weight", &[2, 2]), [true, true, true]);
        assert_eq!(decays("model.layers.0.self_attn.q_proj.bias", &[2]), [false, true, false]);
        assert_eq!(decays("model.layers.0.input_layernorm.weight", &[2]), [false, true, false]);
        assert_eq!(decays("model.norm.weight", &[2]), [false, true, false]);
        assert_eq!(decays("visual.blocks.0.norm1.weight", &[2]), [false, true, true]);
        assert_eq!(decays("visual.merger.ln_q.weight", &[2]), [false, true, true]);
    }

    #[test]
    fn options_out_of_range_are_refused_by_name() {
        let refusal =
            |json: &str| serde_json::from_str::<OptimizerOptions>(json).unwrap().validate().unwrap_err().to_string();
        assert_eq!(refusal(r#"{ "adamBeta2": 1 }"#), "adamBeta2: expected a number of at least 0 and below 1, got 1");
        assert_eq!(refusal(r#"{ "maxGradNorm": 0 }"#), "maxGradNorm: expected a number above 0, or null, got 0");
        assert_eq!(
            refusal(r#"{ "lrScale": { "vision": -1, "merger": 1, "language": 1 } }"#),
            "lrScale.vision: expected a number of at least 0, got -1"
        );
        assert!(serde_json::from_str::<OptimizerOptions>(r#"{ "beta1": 0.9 }"#).is_err());
    }
}
