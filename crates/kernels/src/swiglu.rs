//! SwiGLU, the gated activation of the feed-forward layers.

use candle_core::Tensor;
use coldstart_gemm::Scalar;

use crate::access::{output, tensor_from, uninit_vec, with};
use crate::math::Real;
use crate::rows::{for_rows, min_rows};
use crate::{Error, Result, check, for_dtype};

/// `a = silu(g)·u`. `gu`: `[n, 2·inner]`, the gate then the up projection of each row; returns `[n, inner]`.
pub fn forward(gu: &Tensor) -> Result<Tensor> {
    forward_into(gu, None)
}

/// As [`forward`], into `old` if its shape fits. The caller must hold no other handle to it.
pub fn forward_into(gu: &Tensor, old: Option<Tensor>) -> Result<Tensor> {
    const OP: &str = "swiglu.forward";
    let (n, inner) = halves(OP, gu)?;
    for_dtype!(OP, gu, T => {
        // SAFETY: every row is written below.
        let a = unsafe { output::<T>(old, &[n, inner])? };
        with(OP, [("gu", gu)], [("a", &a)], |[gu]: [&[T]; 1], outputs| {
            let min = min_rows(3 * inner * size_of::<T>());
            for_rows(n, min, outputs, #[inline(always)] |rows, [a]| {
                for (i, row) in rows.enumerate() {
                    let (gate, up) = gu[row * 2 * inner..][..2 * inner].split_at(inner);
                    for ((a, &g), &u) in a[i * inner..][..inner].iter_mut().zip(gate).zip(up) {
                        *a = g * g.sigmoid() * u;
                    }
                }
            });
        })?;
        Ok(a)
    })
}

/// Gradient of [`forward`], with σ = sigmoid(g). `da`: `[n, inner]`, `gu`: `[n, 2·inner]`; returns `[n, 2·inner]`.
///
/// ```text
/// dg = da·u·σ·(1 + g·(1 − σ))        du = da·g·σ
/// ```
pub fn backward(da: &Tensor, gu: &Tensor) -> Result<Tensor> {
    const OP: &str = "swiglu.backward";
    let (n, inner) = halves(OP, gu)?;
    check::shape(OP, ("da", da), &[n, inner], ("gu", gu))?;
    for_dtype!(OP, gu, T => {
        // SAFETY: every row is written below.
        let mut dgu = unsafe { uninit_vec::<T>(n * 2 * inner) };
        with(OP, [("da", da), ("gu", gu)], [], |[da, gu]: [&[T]; 2], []| {
            let min = min_rows(5 * inner * size_of::<T>());
            for_rows(n, min, [&mut dgu[..]], #[inline(always)] |rows, [dgu]| {
                for (i, row) in rows.enumerate() {
                    let (gate, up) = gu[row * 2 * inner..][..2 * inner].split_at(inner);
                    let (dgate, dup) = dgu[i * 2 * inner..][..2 * inner].split_at_mut(inner);
                    let da = &da[row * inner..][..inner];
                    for ((((dg, du), &da), &g), &u) in dgate.iter_mut().zip(dup).zip(da).zip(gate).zip(up) {
                        let s = g.sigmoid();
                        *dg = da * u * s * (T::ONE + g * (T::ONE - s));
                        *du = da * g * s;
                    }
                }
            });
        })?;
        tensor_from(dgu, &[n, 2 * inner])
    })
}

/// Rows and half the columns of `gu`.
fn halves(op: &'static str, gu: &Tensor) -> Result<(usize, usize)> {
    let (n, width) = check::matrix(op, ("gu", gu))?;
    if width % 2 == 1 {
        let expected = "an even number of columns, gate then up".into();
        return Err(Error::Shape { op, name: "gu", got: vec![n, width], expected });
    }
    Ok((n, width / 2))
}
