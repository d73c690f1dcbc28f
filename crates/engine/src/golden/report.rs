//! What was compared, how far apart it was, and how far apart it may be.

use crate::{Error, Precision, Result};
use candle_core::{DType, Tensor};
use serde_json::{Value, json};

/// How a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Within the limit.
    Pass,
    /// Beyond the limit, or not a number.
    Fail,
    /// The case does not hold this quantity.
    Absent,
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Check {
    /// Model folder.
    pub model: String,
    /// Case of that model.
    pub case: String,
    /// Precision it ran in.
    pub precision: Precision,
    /// The quantity.
    pub what: String,
    /// How the deviation is measured, and where it is worst.
    pub measure: String,
    /// Largest deviation found.
    pub worst: f64,
    /// Largest deviation allowed.
    pub limit: f64,
    /// The verdict.
    pub outcome: Outcome,
}

impl Check {
    /// A deviation and its limit. A deviation that is not a number fails.
    pub(super) fn new(case: &str, what: impl Into<String>, measure: impl Into<String>, worst: f64, limit: f64) -> Self {
        let outcome = if worst <= limit { Outcome::Pass } else { Outcome::Fail };
        Self {
            model: String::new(),
            case: case.to_string(),
            precision: Precision::F64,
            what: what.into(),
            measure: measure.into(),
            worst,
            limit,
            outcome,
        }
    }

    pub(super) fn absent(case: &str, what: impl Into<String>) -> Self {
        Self { outcome: Outcome::Absent, ..Self::new(case, what, "", 0.0, 0.0) }
    }

    /// Something to compare that could not be: a failure like any miss, so that the comparisons beside it are still made.
    pub(super) fn unusable(case: &str, what: impl Into<String>, error: &Error) -> Self {
        Self::new(case, what, format!("{}: {error}", error.code()), f64::INFINITY, 0.0)
    }

    /// One JSON object; a deviation that is not a finite number is null there.
    pub fn to_json(&self) -> Value {
        json!({
            "model": self.model, "case": self.case, "precision": format!("{:?}", self.precision).to_lowercase(),
            "what": self.what, "measure": self.measure, "worst": self.worst, "limit": self.limit,
            "outcome": format!("{:?}", self.outcome).to_lowercase(),
        })
    }
}

/// Largest deviations allowed in one precision.
///
/// The references are exact arithmetic stored in f32, which alone costs up to 2e-7 of a tensor's norm. The f32 limits are what two
/// correct f32 programs differ by; the bf16 limits are what the reference software itself shows when run in bf16 throughout.
pub(super) struct Limits {
    /// Hidden states, features, log-probabilities, entropies, loss: of the norm.
    pub state: f64,
    /// Logits, absolute (f32) or of the norm.
    pub logits: f64,
    /// Worst gradient, of its norm.
    pub gradient: f64,
    /// Median over the gradients, of their norms.
    pub median_gradient: f64,
    /// Losses of the AdamW steps, of their norm.
    pub loss: f64,
    /// Gradient norms of the AdamW steps, of their norm.
    pub grad_norm: f64,
    /// Weights after the AdamW steps, of the norm. AdamW amplifies the rounding of tiny gradients, as key biases have.
    pub weights: f64,
}

impl Limits {
    pub fn of(precision: Precision) -> Self {
        match precision {
            Precision::F64 => Self {
                state: 5e-7,
                logits: 5e-7,
                gradient: 5e-7,
                median_gradient: 5e-7,
                loss: 5e-7,
                grad_norm: 5e-7,
                weights: 5e-7,
            },
            Precision::F32 => Self {
                state: 1e-4,
                logits: 1e-4,
                gradient: 1e-4,
                median_gradient: 1e-4,
                loss: 1e-4,
                grad_norm: 1e-3,
                weights: 1e-3,
            },
            Precision::Bf16 => Self {
                state: 0.034,
                logits: 0.034,
                gradient: 0.12,
                median_gradient: 0.07,
                loss: 0.05,
                grad_norm: 0.12,
                weights: 0.12,
            },
        }
    }
}

/// `‖a − b‖ / ‖b‖`; of vectors of different lengths it is infinite.
pub(super) fn relative_norm(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let difference: f64 = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum();
    let norm: f64 = b.iter().map(|y| y * y).sum();
    if difference == 0.0 { 0.0 } else { (difference / norm).sqrt() }
}

/// Largest `|a − b|`; of vectors of different lengths it is infinite.
pub(super) fn max_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    // Not f64::max, which would drop a NaN.
    a.iter().zip(b).fold(0.0, |worst, (x, y)| if (x - y).abs() <= worst { worst } else { (x - y).abs() })
}

/// All elements in row-major order.
pub(super) fn flat(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}
