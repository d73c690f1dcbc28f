//! The policy term `ℓ` of one token: value, and gradient through the ratio and directly through the log-probability.

use serde::{Deserialize, Serialize};

use crate::ratio::clip_log_ratio;
use crate::{Objective, Row};

/// Which surrogate is minimised (`kind`); `A` is the advantage, `ρ` the ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// `max(−Aρ, −A·clamp(ρ, 1−lo, 1+hi))`; with `delta` and A < 0 no more than `−A·delta` (dual clip).
    Clip,
    /// `−sg(min(ρ, 1+hi))·A·logp`. TRL writes the cap `1+hi` itself into `epsilon_high`.
    Cispo,
    /// `−A·(4/τ)·σ(τ(ρ−1))`.
    Sapo,
    /// `−sg(φ)·A·logp` with a weight `φ` of gamma shape over the whole row.
    Vespo,
    /// `−A·ρ` with `ρ` the clipped geometric mean of the row; one term per row.
    Gmpo,
    /// `−A·logp`.
    Reinforce,
}

/// One token's policy term.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Term {
    pub value: f64,
    /// `∂ℓ/∂ ln ρ`
    pub by_log_ratio: f64,
    /// `∂ℓ/∂ logp` at fixed `ρ`
    pub by_logp: f64,
    pub clipped: bool,
    /// Cut by the dual clip.
    pub dual_clipped: bool,
}

/// `phi` is the row's weight for vespo, by sign of the advantage.
pub(crate) fn term(objective: &Objective, row: &Row<'_>, token: usize, ratio: f64, phi: Phi) -> Term {
    let advantage = row.advantage.at(token);
    let logp = row.logp[token];
    match objective.kind {
        Policy::Clip => clip(objective, advantage, ratio),
        Policy::Cispo => {
            let cap = 1.0 + objective.epsilon_high;
            Term { clipped: ratio > cap && advantage > 0.0, ..weighted(ratio.min(cap), advantage, logp) }
        }
        Policy::Sapo => {
            let tau = if advantage > 0.0 { objective.sapo_temperature_pos } else { objective.sapo_temperature_neg };
            let sigma = 1.0 / (1.0 + (-tau * (ratio - 1.0)).exp());
            let value = -advantage * 4.0 / tau * sigma;
            Term { value, by_log_ratio: -advantage * 4.0 * sigma * (1.0 - sigma) * ratio, ..Term::default() }
        }
        Policy::Vespo => weighted(phi.of(advantage), advantage, logp),
        Policy::Gmpo => {
            let delta = logp - row.old[token];
            let clipped = clip_log_ratio(objective, delta, advantage) != delta;
            Term { value: -advantage * ratio, by_log_ratio: -advantage * ratio, clipped, ..Term::default() }
        }
        Policy::Reinforce => weighted(1.0, advantage, logp),
    }
}

/// `−weight·A·logp` with a weight that no gradient flows through.
fn weighted(weight: f64, advantage: f64, logp: f64) -> Term {
    Term { value: -weight * advantage * logp, by_logp: -weight * advantage, ..Term::default() }
}

fn clip(objective: &Objective, advantage: f64, ratio: f64) -> Term {
    let plain = -advantage * ratio;
    let limited = -advantage * ratio.clamp(1.0 - objective.epsilon, 1.0 + objective.epsilon_high);
    let clipped = plain < limited;
    let value = plain.max(limited);
    match objective.delta {
        Some(delta) if advantage < 0.0 && value > -advantage * delta => {
            Term { value: -advantage * delta, clipped, dual_clipped: true, ..Term::default() }
        }
        _ => Term { value, by_log_ratio: if clipped { 0.0 } else { plain }, clipped, ..Term::default() },
    }
}

/// vespo's weight of a row: `φ = exp(λ + k·W − λ·e^W)`, `W` the clamped sum of log ratios.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Phi {
    pub positive: f64,
    pub negative: f64,
}

impl Phi {
    pub fn new(objective: &Objective, row: &Row<'_>, active: &[bool]) -> Phi {
        if objective.kind != Policy::Vespo {
            return Phi::default();
        }
        let sum: f64 =
            (0..active.len()).filter(|&t| active[t]).map(|t| (row.logp[t] - row.old[t]).clamp(-20.0, 20.0)).sum();
        let w = sum.clamp(1e-8f64.ln(), 20.0);
        let weight = |k: f64, lambda: f64| (lambda + k * w - lambda * w.exp()).exp();
        Phi {
            positive: weight(objective.vespo_k_pos, objective.vespo_lambda_pos),
            negative: weight(objective.vespo_k_neg, objective.vespo_lambda_neg),
        }
    }

    pub fn of(&self, advantage: f64) -> f64 {
        if advantage >= 0.0 { self.positive } else { self.negative }
    }
}
