//! Estimates of the divergence from the reference, per token, from `x = reference − logp`.

use serde::{Deserialize, Serialize};

/// Which estimate (`klEstimator`). Expected gradients on policy: k1 zero, k2 and k3+ that of KL(π‖ref), k3 that of KL(ref‖π).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KlEstimator {
    /// `−x`
    #[serde(rename = "k1", alias = "kl")]
    K1,
    /// `|x|`
    #[serde(rename = "abs")]
    Abs,
    /// `x²/2`
    #[serde(rename = "k2", alias = "mse")]
    K2,
    /// `eˣ − x − 1`
    #[serde(rename = "k3", alias = "low_var_kl")]
    K3,
    /// The value of k3 with the gradient of k2.
    #[serde(rename = "k3+")]
    K3Plus,
}

/// Beyond this difference `exp` says nothing useful and threatens the backward pass with `0 · ∞`; the gradient is zero there.
const MAX_LOG_DIFFERENCE: f64 = 20.0;

/// Value and derivative by `logp`. `clamp` cuts the value of k3 and its gradient, as the code released with the paper does at 10.
pub(crate) fn kl(estimator: KlEstimator, logp: f64, reference: f64, clamp: Option<f64>) -> (f64, f64) {
    let x = reference - logp;
    match estimator {
        KlEstimator::K1 => (-x, 1.0),
        KlEstimator::Abs => (x.abs(), if x == 0.0 { 0.0 } else { -x.signum() }),
        KlEstimator::K2 => (0.5 * x * x, -x),
        KlEstimator::K3 => k3(x, clamp),
        KlEstimator::K3Plus => (k3(x, clamp).0, -x),
    }
}

fn k3(x: f64, clamp: Option<f64>) -> (f64, f64) {
    let clamped = x.clamp(-MAX_LOG_DIFFERENCE, MAX_LOG_DIFFERENCE);
    // expm1 keeps the value exact where x is tiny, which is where a run starts.
    let value = clamped.exp_m1() - clamped;
    let slope = if clamped == x { -x.exp_m1() } else { 0.0 };
    match clamp {
        Some(limit) if value > limit => (limit, 0.0),
        _ => (value, slope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [KlEstimator; 5] =
        [KlEstimator::K1, KlEstimator::Abs, KlEstimator::K2, KlEstimator::K3, KlEstimator::K3Plus];

    #[test]
    fn equal_models_have_no_divergence() {
        assert!(ALL.iter().all(|&e| kl(e, -1.5, -1.5, None).0 == 0.0));
    }

    #[test]
    fn the_gradient_of_k3_plus_is_that_of_k2() {
        assert_eq!(kl(KlEstimator::K3Plus, -1.0, -3.0, None).1, kl(KlEstimator::K2, -1.0, -3.0, None).1);
        assert_eq!(kl(KlEstimator::K3Plus, -1.0, -3.0, None).0, kl(KlEstimator::K3, -1.0, -3.0, None).0);
    }

    #[test]
    fn a_hopeless_token_neither_overflows_nor_pulls() {
        let (value, slope) = kl(KlEstimator::K3, -900.0, -1.0, None);
        assert!(value.is_finite() && slope == 0.0);
    }

    #[test]
    fn the_released_clamp_cuts_value_and_gradient() {
        assert_eq!(kl(KlEstimator::K3, -4.0, -1.0, Some(10.0)), (10.0, 0.0));
        assert_ne!(kl(KlEstimator::K3, -3.0, -1.0, Some(10.0)).1, 0.0);
    }
}
