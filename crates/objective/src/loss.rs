//! The loss of a micro-batch and its gradient by every log-probability.

use crate::kl::kl;
use crate::mask::{above_threshold, policy_weights};
use crate::policy::{Phi, term};
use crate::ratio::Ratios;
use crate::{Objective, Result, Row, Sums, Totals};

/// A micro-batch's share of the update. Shares add up: losses, gradients and [`Sums`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    pub loss: f64,
    /// `∂L/∂logp` of every token, one list for each row.
    pub grad_logp: Vec<Vec<f64>>,
    /// `b ≥ 0` of every token: the loss contains `−b·H`. Empty lists without an entropy bonus.
    pub entropy_coef: Vec<Vec<f64>>,
    pub sums: Sums,
}

/// Evaluates some rows of the update that `totals` describes. Rows are whole: a sequence ratio needs all tokens of its row at once.
///
/// A token that counts and has a value that is not finite makes the loss NaN, under every objective.
///
/// Fails when lengths differ, when a row lacks what the objective reads, or lies outside the update.
pub fn evaluate(objective: &Objective, totals: &Totals, rows: &[Row<'_>]) -> Result<Evaluation> {
    let mut result = Evaluation::default();
    for row in rows {
        row.check(objective)?;
        evaluate_row(objective, totals, row, &mut result)?;
    }
    Ok(result)
}

fn evaluate_row(objective: &Objective, totals: &Totals, row: &Row<'_>, result: &mut Evaluation) -> Result<()> {
    let len = row.logp.len();
    let active: Vec<bool> = (0..len).map(|t| row.is_active(objective, t)).collect();
    let num_active = active.iter().filter(|&&a| a).count();
    let weight = totals.weight(objective, row.index, num_active)?;
    let mut grad = vec![0.0; len];
    let mut entropy_coef = if objective.entropy_coef == 0.0 { Vec::new() } else { vec![0.0; len] };
    if num_active > 0 {
        let keep = above_threshold(row, totals.entropy_threshold);
        let ratios = Ratios::new(objective, row, &active, &keep);
        let policy = policy_weights(objective, row, &active, &keep);
        let phi = Phi::new(objective, row, &active);
        let mut by_log_ratio = vec![0.0; len];
        result.sums.start_row(objective, row, &active, phi);
        if !(0..len).all(|t| !active[t] || row.is_finite(t)) {
            // min, max and clamp would turn some of these into harmless numbers.
            result.loss = f64::NAN;
        }
        for t in (0..len).filter(|&t| active[t]) {
            let ratio = ratios.value[t];
            let policy_term = term(objective, row, t, ratio, phi);
            let mut policy_loss = 0.0;
            // Not a product: a masked token may hold 0 · ∞.
            if policy[t] != 0.0 {
                let w = weight * policy[t];
                policy_loss = w * policy_term.value;
                by_log_ratio[t] += w * policy_term.by_log_ratio;
                grad[t] += w * policy_term.by_logp;
            }
            let (mut k, mut k_slope) = (0.0, 0.0);
            if let Some(reference) = row.reference {
                (k, k_slope) = kl(objective.kl_estimator, row.logp[t], reference[t], objective.kl_clamp);
                if objective.use_bias_correction_kl {
                    k *= ratio;
                    k_slope *= ratio;
                    by_log_ratio[t] += weight * objective.beta * k;
                }
            }
            grad[t] += weight * objective.beta * k_slope;
            result.loss += policy_loss + weight * objective.beta * k;
            if let (Some(entropy), true) = (row.entropy, keep[t] && objective.entropy_coef != 0.0) {
                entropy_coef[t] = totals.entropy_weight() * objective.entropy_coef;
                result.loss -= entropy_coef[t] * entropy[t];
            }
            result.sums.add_token(row, t, ratio, &policy_term, policy_loss, weight, k);
        }
        ratios.spread(&by_log_ratio, &mut grad);
    }
    result.grad_logp.push(grad);
    result.entropy_coef.push(entropy_coef);
    Ok(())
}
