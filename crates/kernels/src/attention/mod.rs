//! Softmax attention over segments, forward and backward, on the fused projection buffer.
//!
//! A row of `qkv` is `[q heads | k heads | v heads]`, already rotated. Query head i reads kv head i / (Hq/Hk). Scores are
//! materialised for one tile of query rows against all its visible keys, in memory that each thread keeps; the backward
//! recomputes them from the saved log-sum-exp.
//!
//! With S = scale·Q·Kᵀ (masked) and L its log-sum-exp by row:
//!
//! ```text
//! P = exp(S − L)      O = P·V      D = Σ dO∘O      dS = P∘(dO·Vᵀ − D)
//! dV += Pᵀ·dO         dQ = scale·dS·K              dK += scale·dSᵀ·Q
//! ```
//!
//! Keys of a prefix collect gradients from their own rows and from every segment that reads them, in the order of the plan's
//! segments and within one task, so the bits do not depend on the number of threads.

mod backward;
mod forward;
mod plan;
pub(crate) mod softmax;
mod tile;

use candle_core::Tensor;

use crate::access::{self, tensor_from};
use crate::{Precision, Result, check, for_dtype};
pub use plan::{Heads, Plan, Segment};

/// Forward. `qkv`: `[n, (Hq + 2·Hk)·dim]`. Returns the output `[n, Hq·dim]` and the log-sum-exp of scaled scores `[Hq, n]`, which
/// `backward` needs; both are 0 in rows that no segment covers.
///
/// Errors: a shape, dtype or plan that does not fit `qkv`.
pub fn forward(qkv: &Tensor, heads: &Heads, plan: &Plan, scale: f64, precision: Precision) -> Result<(Tensor, Tensor)> {
    const OP: &str = "attention::forward";
    let rows = check_qkv(OP, qkv, heads, plan)?;
    for_dtype!(OP, qkv, T => {
        let mut o = vec![T::default(); rows * heads.q * heads.dim];
        let mut lse = vec![T::default(); heads.q * rows];
        access::read::<T, _>(OP, ("qkv", qkv), |qkv| {
            let call = tile::Call { qkv, heads: *heads, plan, scale, precision, rows };
            forward::run(&call, &mut o, &mut lse);
        })?;
        Ok((tensor_from(o, &[rows, heads.q * heads.dim])?, tensor_from(lse, &[heads.q, rows])?))
    })
}

/// Backward. `d_o`: gradient of the output `o`; `qkv`, `o`, `lse`, `heads`, `plan`, `scale`, `precision` as in `forward`. Returns the
/// gradient of `qkv`, 0 in rows that no segment touches.
///
/// Errors: as `forward`, and operands of different shapes.
pub fn backward(
    d_o: &Tensor,
    qkv: &Tensor,
    o: &Tensor,
    lse: &Tensor,
    heads: &Heads,
    plan: &Plan,
    scale: f64,
    precision: Precision,
) -> Result<Tensor> {
    const OP: &str = "attention::backward";
    let rows = check_qkv(OP, qkv, heads, plan)?;
    check::shape(OP, ("o", o), &[rows, heads.q * heads.dim], ("qkv", qkv))?;
    check::shape(OP, ("d_o", d_o), &[rows, heads.q * heads.dim], ("qkv", qkv))?;
    check::shape(OP, ("lse", lse), &[heads.q, rows], ("qkv", qkv))?;
    for_dtype!(OP, qkv, T => {
        let mut dqkv = vec![T::default(); rows * heads.width()];
        let reads = [("qkv", qkv), ("o", o), ("d_o", d_o), ("lse", lse)];
        access::with::<T, 4, 0, _>(OP, reads, [], |[qkv, o, d_o, lse], []| {
            let call = tile::Call { qkv, heads: *heads, plan, scale, precision, rows };
            backward::run(&call, &backward::Saved { o, d_o, lse }, &mut dqkv);
        })?;
        tensor_from(dqkv, &[rows, heads.width()])
    })
}

fn check_qkv(op: &'static str, qkv: &Tensor, heads: &Heads, plan: &Plan) -> Result<usize> {
    heads.check()?;
    let (rows, _) = check::matrix(op, ("qkv", qkv))?;
    check::shape(op, ("qkv", qkv), &[rows, heads.width()], ("heads", qkv))?;
    plan.check(rows)?;
    Ok(rows)
}
