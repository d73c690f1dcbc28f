//! Weights of the policy term alone: they leave the KL, the token counts and the row counts as they are.

use serde::{Deserialize, Serialize};

use crate::{Objective, Policy, Row};

/// How the mismatch `v = exp(old − sampler)` between trainer and sampler weights a token (`rolloutCorrection`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorrectionKind {
    /// `min(v, max)`
    TokenTruncate,
    /// `v` within `min…max`, else 0
    TokenMask,
    /// `min(v, max)` with `v` of the whole row, `exp(Σ (old − sampler))`
    SequenceTruncate,
    /// `v` of the whole row within `min…max`, else 0
    SequenceMask,
}

/// The entropy from which tokens keep their policy term: the quantile `1 − q` over `entropies`, interpolated linearly, in f32 as PyTorch
/// computes it, so that a tie falls on the same side. No tokens: no threshold.
pub(crate) fn entropy_threshold(quantile: f64, entropies: &[f32]) -> Option<f32> {
    let mut entropies = entropies.to_vec();
    entropies.sort_by(f32::total_cmp);
    let position = (1.0 - quantile) as f32 * entropies.len().checked_sub(1)? as f32;
    let (below, above) = (entropies[position.floor() as usize], entropies[position.ceil() as usize]);
    let weight = position - position.floor();
    Some(if weight < 0.5 { below + weight * (above - below) } else { above - (above - below) * (1.0 - weight) })
}

/// Which tokens pass the entropy threshold.
pub(crate) fn above_threshold(row: &Row<'_>, threshold: Option<f32>) -> Vec<bool> {
    match (threshold, row.entropy) {
        (Some(threshold), Some(entropy)) => entropy.iter().map(|&h| h as f32 >= threshold).collect(),
        _ => vec![true; row.logp.len()],
    }
}

/// The weight `p` of every token's policy term.
pub(crate) fn policy_weights(objective: &Objective, row: &Row<'_>, active: &[bool], keep: &[bool]) -> Vec<f64> {
    let stale = is_stale(objective, row, active);
    let correction = correction(objective, row, active);
    (0..row.logp.len())
        .map(|t| {
            // gmpo has the entropy mask inside its mean.
            let kept = keep[t] || objective.kind == Policy::Gmpo;
            let dropped = stale && row.advantage.at(t) < 0.0;
            if active[t] && kept && !dropped { correction[t] } else { 0.0 }
        })
        .collect()
}

/// Whether the row left the policy so far behind that a negative advantage no longer says anything about it (DeepSeek-V3.2).
fn is_stale(objective: &Objective, row: &Row<'_>, active: &[bool]) -> bool {
    let Some(threshold) = objective.off_policy_mask_threshold else { return false };
    let sampled = row.sampler.unwrap_or(row.old);
    mean(active, |t| sampled[t] - row.logp[t]) > threshold
}

fn correction(objective: &Objective, row: &Row<'_>, active: &[bool]) -> Vec<f64> {
    let (Some(correction), Some(sampler)) = (objective.correction, row.sampler) else { return vec![1.0; active.len()] };
    let difference = |t: usize| row.old[t] - sampler[t];
    let whole: f64 = (0..active.len()).filter(|&t| active[t]).map(difference).sum();
    (0..active.len())
        .map(|t| match correction.kind {
            CorrectionKind::TokenTruncate => difference(t).exp().min(correction.max),
            CorrectionKind::TokenMask => within(difference(t).exp(), correction.min, correction.max),
            CorrectionKind::SequenceTruncate => whole.exp().min(correction.max),
            CorrectionKind::SequenceMask => within(whole.exp(), correction.min, correction.max),
        })
        .collect()
}

fn within(value: f64, min: f64, max: f64) -> f64 {
    if (min..=max).contains(&value) { value } else { 0.0 }
}

pub(crate) fn mean(active: &[bool], value: impl Fn(usize) -> f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0usize);
    for t in (0..active.len()).filter(|&t| active[t]) {
        sum += value(t);
        count += 1;
    }
    sum / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_the_interpolated_quantile() {
        assert_eq!(entropy_threshold(0.5, &[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(entropy_threshold(1.0, &[4.0, 1.0]), Some(1.0));
        assert_eq!(entropy_threshold(0.5, &[]), None);
    }
}
