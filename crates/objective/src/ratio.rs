//! The importance ratio `ρ = π/π_old` of every token of a row, and how a gradient by `ln ρ` returns to log-probabilities.

use serde::{Deserialize, Serialize};

use crate::{Objective, Policy, Row};

/// Over what the ratio is taken (`importanceSamplingLevel`), with `Δ = logp − old`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `exp(Δ)`.
    Token,
    /// `exp(mean Δ)` for every token of the row, with the gradient through all of them (GSPO).
    Sequence,
    /// The value of `sequence`, with the gradient through the own token alone.
    SequenceToken,
}

/// The ratios of one row.
pub(crate) struct Ratios {
    /// `ρ` of each token.
    pub value: Vec<f64>,
    /// `∂ ln ρ / ∂ logp` of the token itself (`shared`: of every token, its part in the mean).
    slope: Vec<f64>,
    shared: bool,
}

impl Ratios {
    /// `keep` is the entropy mask, which the geometric mean of gmpo takes in; other losses ignore it here.
    pub fn new(objective: &Objective, row: &Row<'_>, active: &[bool], keep: &[bool]) -> Ratios {
        let delta: Vec<f64> = row.logp.iter().zip(row.old).map(|(logp, old)| logp - old).collect();
        if objective.kind == Policy::Gmpo {
            return geometric(objective, row, &delta, active, keep);
        }
        match objective.importance_sampling_level {
            Level::Token => token(objective, &delta),
            Level::Sequence => sequence(objective, &delta, active, true),
            Level::SequenceToken => sequence(objective, &delta, active, false),
        }
    }

    /// Adds `Σ_t by_log_ratio_t · ∂ ln ρ_t / ∂ logp_s` to `grad_s`.
    pub fn spread(&self, by_log_ratio: &[f64], grad: &mut [f64]) {
        let sum: f64 = if self.shared { by_log_ratio.iter().sum() } else { 0.0 };
        for t in 0..grad.len() {
            grad[t] += self.slope[t] * if self.shared { sum } else { by_log_ratio[t] };
        }
    }
}

/// `exp` of the clamped log ratio, and the derivative of the clamp. Clamping the ratio itself would leave `0 · ∞` in the gradient.
pub(crate) fn clamped_exp(log_ratio: f64, limit: Option<f64>) -> (f64, f64) {
    let limit = limit.unwrap_or(f64::INFINITY);
    if log_ratio.abs() <= limit || log_ratio.is_nan() {
        (log_ratio.exp(), 1.0)
    } else {
        (log_ratio.clamp(-limit, limit).exp(), 0.0)
    }
}

fn token(objective: &Objective, delta: &[f64]) -> Ratios {
    let (value, slope) = delta.iter().map(|&d| clamped_exp(d, objective.ratio_clamp)).unzip();
    Ratios { value, slope, shared: false }
}

fn sequence(objective: &Objective, delta: &[f64], active: &[bool], shared: bool) -> Ratios {
    let n = active.iter().filter(|&&a| a).count() as f64;
    let mean = delta.iter().zip(active).filter(|(_, a)| **a).map(|(d, _)| d).sum::<f64>() / n;
    let (value, gate) = clamped_exp(mean, objective.ratio_clamp);
    let part = if shared { gate / n } else { gate };
    let slope = active.iter().map(|&a| if a { part } else { 0.0 }).collect();
    Ratios { value: vec![value; delta.len()], slope, shared }
}

/// Geometric mean of the ratios, each clipped towards 1 on the side where the advantage would push it further.
fn geometric(objective: &Objective, row: &Row<'_>, delta: &[f64], active: &[bool], keep: &[bool]) -> Ratios {
    let n = (0..delta.len()).filter(|&t| active[t] && keep[t]).count().max(1) as f64;
    let mut sum = 0.0;
    let mut slope = vec![0.0; delta.len()];
    for t in (0..delta.len()).filter(|&t| active[t] && keep[t]) {
        let clipped = clip_log_ratio(objective, delta[t], row.advantage.at(t));
        sum += clipped;
        slope[t] = if clipped == delta[t] { 1.0 / n } else { 0.0 };
    }
    Ratios { value: vec![(sum / n).exp(); delta.len()], slope, shared: true }
}

pub(crate) fn clip_log_ratio(objective: &Objective, delta: f64, advantage: f64) -> f64 {
    let limited = delta.clamp(-objective.epsilon, objective.epsilon_high);
    if advantage > 0.0 { delta.min(limited) } else { delta.max(limited) }
}
