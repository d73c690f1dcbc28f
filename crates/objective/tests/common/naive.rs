//! The objective written out token by token, with everything that no gradient flows through taken from a second copy of the update.

use coldstart_objective::{Aggregation, CorrectionKind, KlEstimator, Level, Objective, Policy};

use super::Response;

/// The loss at `x`, stop-gradients, masks and corrections evaluated at `base`. At `x = base` it is the loss itself.
pub fn surrogate(o: &Objective, x: &[Response], base: &[Response]) -> f64 {
    let threshold = threshold(o, base);
    let kept: usize = x.iter().map(|r| active(o, r).filter(|&t| r.entropy[t] as f32 >= threshold).count()).sum();
    let mut loss = 0.0;
    for (i, (row, frozen)) in x.iter().zip(base).enumerate() {
        for t in active(o, row) {
            let w = weight(o, x, i);
            let uncertain = row.entropy[t] as f32 >= threshold;
            let ratio = ratio(o, row, frozen, t, threshold);
            if (uncertain || o.kind == Policy::Gmpo) && !stale(o, frozen) {
                loss += w * correction(o, row, t) * term(o, row, frozen, t, ratio);
            }
            loss += w * o.beta * kl(o, row, frozen, t) * if o.use_bias_correction_kl { ratio } else { 1.0 };
            if uncertain {
                loss -= o.entropy_coef * row.entropy[t] / kept as f64;
            }
        }
    }
    loss
}

fn active<'a>(o: &Objective, row: &'a Response) -> impl Iterator<Item = usize> + 'a {
    let dropped = o.overlong_filter && row.truncated;
    (0..row.logp.len()).filter(move |&t| row.mask[t] && !dropped)
}

fn len(o: &Objective, row: &Response) -> f64 {
    active(o, row).count() as f64
}

fn weight(o: &Objective, x: &[Response], i: usize) -> f64 {
    let n = |range: std::ops::Range<usize>| range.map(|j| len(o, &x[j])).sum::<f64>();
    let rows = x.iter().filter(|r| len(o, r) > 0.0).count() as f64;
    match o.loss_aggregation {
        Aggregation::TokenMean => 1.0 / (n(0..x.len()) + o.masked_mean_eps),
        Aggregation::SeqMean => 1.0 / rows / (len(o, &x[i]) + o.masked_mean_eps),
        Aggregation::SeqSumNorm => 1.0 / rows / o.max_completion_length.unwrap() as f64,
        Aggregation::SeqSum => 1.0 / rows,
        Aggregation::GroupTokenMean => {
            let groups = x.len().div_ceil(o.aggregation_group.unwrap());
            let of = |j: usize| if o.aggregation_interleaved { j % groups } else { j / o.aggregation_group.unwrap() };
            let tokens = |g: usize| (0..x.len()).filter(|&j| of(j) == g).map(|j| len(o, &x[j])).sum::<f64>();
            let counted = (0..groups).filter(|&g| tokens(g) > 0.0).count() as f64;
            1.0 / counted / (tokens(of(i)) + o.masked_mean_eps)
        }
    }
}

fn threshold(o: &Objective, x: &[Response]) -> f32 {
    if o.top_entropy_quantile == 1.0 {
        return f32::NEG_INFINITY;
    }
    let mut all: Vec<f32> = x.iter().flat_map(|r| active(o, r).map(|t| r.entropy[t] as f32)).collect();
    if all.is_empty() {
        return f32::NEG_INFINITY;
    }
    all.sort_by(f32::total_cmp);
    let at = (1.0 - o.top_entropy_quantile as f32) * (all.len() - 1) as f32;
    let below = all[at as usize];
    below + at.fract() * (all[(at.ceil()) as usize] - below)
}

fn mean_delta(o: &Objective, row: &Response) -> f64 {
    active(o, row).map(|t| row.logp[t] - row.old[t]).sum::<f64>() / len(o, row)
}

fn ratio(o: &Objective, row: &Response, frozen: &Response, t: usize, threshold: f32) -> f64 {
    if o.kind == Policy::Gmpo {
        let clipped = |t: usize| {
            let d = row.logp[t] - row.old[t];
            let limited = d.max(-o.epsilon).min(o.epsilon_high);
            if row.advantage > 0.0 { d.min(limited) } else { d.max(limited) }
        };
        let kept: Vec<usize> = active(o, row).filter(|&t| row.entropy[t] as f32 >= threshold).collect();
        return (kept.iter().map(|&t| clipped(t)).sum::<f64>() / kept.len().max(1) as f64).exp();
    }
    match o.importance_sampling_level {
        Level::Token => (row.logp[t] - row.old[t]).exp(),
        Level::Sequence => mean_delta(o, row).exp(),
        Level::SequenceToken => mean_delta(o, frozen).exp() * (row.logp[t] - frozen.logp[t]).exp(),
    }
}

fn stale(o: &Objective, frozen: &Response) -> bool {
    let drift = active(o, frozen).map(|t| frozen.sampler[t] - frozen.logp[t]).sum::<f64>() / len(o, frozen);
    frozen.advantage < 0.0 && o.off_policy_mask_threshold.is_some_and(|threshold| drift > threshold)
}

fn correction(o: &Objective, row: &Response, t: usize) -> f64 {
    let Some(c) = o.correction else { return 1.0 };
    let token = (row.old[t] - row.sampler[t]).exp();
    let whole = active(o, row).map(|t| row.old[t] - row.sampler[t]).sum::<f64>().exp();
    let inside = |v: f64| if v < c.min || v > c.max { 0.0 } else { v };
    match c.kind {
        CorrectionKind::TokenTruncate => token.min(c.max),
        CorrectionKind::TokenMask => inside(token),
        CorrectionKind::SequenceTruncate => whole.min(c.max),
        CorrectionKind::SequenceMask => inside(whole),
    }
}

fn term(o: &Objective, row: &Response, frozen: &Response, t: usize, ratio: f64) -> f64 {
    let a = row.advantage;
    match o.kind {
        Policy::Clip => {
            let clip = (-a * ratio).max(-a * ratio.max(1.0 - o.epsilon).min(1.0 + o.epsilon_high));
            if a < 0.0 { clip.min(-a * o.delta.unwrap_or(f64::INFINITY)) } else { clip }
        }
        Policy::Cispo => {
            let frozen_ratio = self::ratio(o, frozen, frozen, t, 0.0);
            -frozen_ratio.min(1.0 + o.epsilon_high) * a * row.logp[t]
        }
        Policy::Sapo => {
            let tau = if a > 0.0 { o.sapo_temperature_pos } else { o.sapo_temperature_neg };
            -a * 4.0 / tau / (1.0 + (tau * (1.0 - ratio)).exp())
        }
        Policy::Vespo => {
            let w = (mean_delta(o, frozen) * len(o, frozen)).clamp(1e-8f64.ln(), 20.0);
            let (k, lambda) =
                if a >= 0.0 { (o.vespo_k_pos, o.vespo_lambda_pos) } else { (o.vespo_k_neg, o.vespo_lambda_neg) };
            -(lambda + k * w - lambda * w.exp()).exp() * a * row.logp[t]
        }
        Policy::Gmpo => -a * ratio,
        Policy::Reinforce => -a * row.logp[t],
    }
}

fn kl(o: &Objective, row: &Response, frozen: &Response, t: usize) -> f64 {
    let k2 = |r: &Response| 0.5 * (r.reference[t] - r.logp[t]).powi(2);
    let k3 = |r: &Response| (r.reference[t] - r.logp[t]).exp() - (r.reference[t] - r.logp[t]) - 1.0;
    match o.kl_estimator {
        KlEstimator::K1 => row.logp[t] - row.reference[t],
        KlEstimator::Abs => (row.logp[t] - row.reference[t]).abs(),
        KlEstimator::K2 => k2(row),
        KlEstimator::K3 => k3(row),
        KlEstimator::K3Plus => k3(frozen) + k2(row) - k2(frozen),
    }
}
