//! The language-model head: log-probabilities and entropies of chosen tokens, and their gradients, without an array
//! `[rows, vocabulary]`.
//!
//! For a row h with target y and temperature τ, over the ids that are not banned:
//!
//! ```text
//! z = h·Wᵀ/τ     ℓ = logsumexp(z)     logp = z_y − ℓ     p = exp(z − ℓ)     H = ℓ − Σ p·z
//! ```
//!
//! and with c = ∂L/∂logp and an entropy term −b·H in the loss
//!
//! ```text
//! dz = [c·(1[y] − p) + b·p∘(z − ℓ + H)] / τ     dh = dz·W     dW += dzᵀ·h
//! ```
//!
//! Both sweeps go over tiles of the vocabulary and, inside, over chunks of rows; the backward recomputes the logits. A hidden row
//! that several entries name (the last prompt row predicts the first token of every sample) is computed once.

mod backward;
mod forward;
mod rows;

use candle_core::Tensor;

use crate::{Acc, Result, Weight, linear};
pub use rows::Rows;

/// What the head knows about each entry of `Rows`. A logit that is not finite makes the entry NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeadStats {
    /// Log-sum-exp of the tempered logits.
    pub lse: Vec<f64>,
    /// Log-probability of the target; −∞ for a banned one.
    pub logp: Vec<f64>,
    /// Entropy in nats.
    pub entropy: Vec<f64>,
    /// Most likely id, the lowest among equals.
    pub argmax: Vec<u32>,
}

/// Log-probabilities and entropies. `h`: `[n, d]`; `weight`: `[V, d]`; `temperature` > 0; ids of `banned` have probability 0.
///
/// Errors: shapes or dtypes that do not fit, a row ≥ n, a target ≥ V, a temperature that is not positive.
pub fn forward(h: &Tensor, weight: &Weight, rows: &Rows, temperature: f64, banned: &[u32]) -> Result<HeadStats> {
    forward::run(&rows::Call::new("head::forward", h, weight, rows, temperature, banned)?)
}

/// Gradients. `c[i]` = ∂L/∂logp of entry i, `b[i]` its entropy coefficient (the loss contains −b·H); `stats` from `forward` with the
/// same arguments. dh is added to `dh_out` `[n, d]` in place, dW goes to `dw`.
///
/// Errors: as `forward`, and lists whose length is not that of `rows`.
pub fn backward(
    h: &Tensor,
    weight: &Weight,
    rows: &Rows,
    stats: &HeadStats,
    temperature: f64,
    banned: &[u32],
    c: &[f64],
    b: &[f64],
    dh_out: &Tensor,
    dw: Option<Acc>,
) -> Result<()> {
    let call = rows::Call::new("head::backward", h, weight, rows, temperature, banned)?;
    backward::run(&call, stats, c, b, dh_out, dw)
}

/// Logits `[r, V]` of hidden rows `[r, d]`, for sampling.
pub fn logits(h: &Tensor, weight: &Weight) -> Result<Tensor> {
    logits_into(h, weight, None)
}

/// As [`logits`], into `old` if its shape fits. The caller must hold no other handle to it.
pub fn logits_into(h: &Tensor, weight: &Weight, old: Option<Tensor>) -> Result<Tensor> {
    linear::forward_into(h, weight, None, old)
}
