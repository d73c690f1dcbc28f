//! Root-mean-square normalisation, alone or fused with the residual addition before it.

use candle_core::Tensor;

use crate::access::{Element, output, tensor_from, uninit_vec, with};
use crate::pieces::Pieces;
use crate::reduce::sum;
use crate::rows::{for_rows, min_rows};
use crate::{Acc, Result, check, for_dtype};

/// `y = w · x · r` with `r = (mean(x²) + eps)^(−1/2)`. `x`: `[n, d]`, `w`: `[d]`; returns `y` and `r`: `[n]`.
///
/// For f32 the squares are summed in 32 f32 lanes that move to f64 every 1,024 elements; mean and root are f64.
pub fn forward(x: &Tensor, w: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    forward_into(x, w, eps, [None, None])
}

/// As [`forward`], into `old` `[y, r]` where shapes fit. The caller must hold no other handles to them.
pub fn forward_into(x: &Tensor, w: &Tensor, eps: f64, old: [Option<Tensor>; 2]) -> Result<(Tensor, Tensor)> {
    const OP: &str = "rms_norm.forward";
    let (n, d) = check::matrix(OP, ("x", x))?;
    check::shape(OP, ("w", w), &[d], ("x", x))?;
    for_dtype!(OP, x, T => {
        let [y, inv_rms] = old;
        // SAFETY: every row of both is written below.
        let (y, inv_rms) = unsafe { (output::<T>(y, &[n, d])?, output::<T>(inv_rms, &[n])?) };
        with(OP, [("x", x), ("w", w)], [("y", &y), ("inv_rms", &inv_rms)], |[x, w]: [&[T]; 2], outputs| {
            let min = min_rows(2 * d * size_of::<T>());
            for_rows(n, min, outputs, #[inline(always)] |rows, [y, inv_rms]| {
                for (i, row) in rows.enumerate() {
                    inv_rms[i] = normalise(&x[row * d..][..d], w, eps, &mut y[i * d..][..d]);
                }
            });
        })?;
        Ok((y, inv_rms))
    })
}

/// `h = x + delta` and the normalisation of `h`, in one pass. `x`, `delta`: `[n, d]`; returns `(h, y, inv_rms)`.
pub fn forward_residual(x: &Tensor, delta: &Tensor, w: &Tensor, eps: f64) -> Result<(Tensor, Tensor, Tensor)> {
    forward_residual_into(x, delta, w, eps, [None, None, None])
}

/// As [`forward_residual`], into `old` `[h, y, inv_rms]` where shapes fit. The caller must hold no other handles to them.
pub fn forward_residual_into(
    x: &Tensor,
    delta: &Tensor,
    w: &Tensor,
    eps: f64,
    old: [Option<Tensor>; 3],
) -> Result<(Tensor, Tensor, Tensor)> {
    const OP: &str = "rms_norm.forward_residual";
    let (n, d) = check::matrix(OP, ("x", x))?;
    check::shape(OP, ("delta", delta), &[n, d], ("x", x))?;
    check::shape(OP, ("w", w), &[d], ("x", x))?;
    for_dtype!(OP, x, T => {
        let [h, y, inv_rms] = old;
        // SAFETY: every row of all three is written below.
        let (h, y, inv_rms) =
            unsafe { (output::<T>(h, &[n, d])?, output::<T>(y, &[n, d])?, output::<T>(inv_rms, &[n])?) };
        let writes = [("h", &h), ("y", &y), ("inv_rms", &inv_rms)];
        with(OP, [("x", x), ("delta", delta), ("w", w)], writes, |[x, delta, w]: [&[T]; 3], outputs| {
            let min = min_rows(4 * d * size_of::<T>());
            for_rows(n, min, outputs, #[inline(always)] |rows, [h, y, inv_rms]| {
                for (i, row) in rows.enumerate() {
                    let h = &mut h[i * d..][..d];
                    for ((h, &a), &b) in h.iter_mut().zip(&x[row * d..][..d]).zip(&delta[row * d..][..d]) {
                        *h = a + b;
                    }
                    inv_rms[i] = normalise(h, w, eps, &mut y[i * d..][..d]);
                }
            });
        })?;
        Ok((h, y, inv_rms))
    })
}

/// Rows whose contributions to dw are added in the tensor's type before they are summed in f64.
const BLOCK: usize = 32;

/// Gradient of [`forward`]. `dy`, `x`: `[n, d]`, `inv_rms`: `[n]` as returned, `w`: `[d]`.
///
/// ```text
/// dx = r·(w·dy − x·r²·mean(w·dy·x)) + residual
/// dw (+)= Σ_rows dy·x·r
/// ```
///
/// For [`forward_residual`] `x` is its `h`, and dx the gradient of both summands. `residual`: `[n, d]`, the gradient
/// that reaches the input past the norm. dw is summed over blocks of 32 rows, then over the blocks in order.
pub fn backward(
    dy: &Tensor,
    x: &Tensor,
    inv_rms: &Tensor,
    w: &Tensor,
    residual: Option<&Tensor>,
    dw: Option<Acc>,
) -> Result<Tensor> {
    const OP: &str = "rms_norm.backward";
    let (n, d) = check::matrix(OP, ("x", x))?;
    check::shape(OP, ("dy", dy), &[n, d], ("x", x))?;
    check::shape(OP, ("inv_rms", inv_rms), &[n], ("x", x))?;
    check::shape(OP, ("w", w), &[d], ("x", x))?;
    if let Some(residual) = residual {
        check::shape(OP, ("residual", residual), &[n, d], ("x", x))?;
    }
    if let Some(dw) = dw {
        check::shape(OP, ("dw", dw.grad), &[d], ("x", x))?;
    }
    for_dtype!(OP, x, T => {
        // SAFETY: every row is written by `backward_rows`.
        let mut dx = unsafe { uninit_vec::<T>(n * d) };
        let reads = [("dy", dy), ("x", x), ("inv_rms", inv_rms), ("w", w), ("residual", residual.unwrap_or(dy))];
        let rows = |[dy, x, inv_rms, w, added]: [&[T]; 5], dx: &mut [T], partial: Option<&mut [T]>| {
            let operands = Operands { dy, x, inv_rms, w, residual: residual.map(|_| added), d };
            backward_rows(&operands, dx, partial);
        };
        match dw {
            None => with(OP, reads, [], |reads, []| rows(reads, &mut dx, None))?,
            Some(dw) => with(OP, reads, [("dw", dw.grad)], |reads, [grad]| {
                // SAFETY: each block of rows writes its part first.
                let mut partial = unsafe { uninit_vec::<T>(n.div_ceil(BLOCK) * d) };
                rows(reads, &mut dx, Some(&mut partial));
                add_partials(&partial, grad, dw.first);
            })?,
        }
        tensor_from(dx, &[n, d])
    })
}

/// One row of the forward pass; returns the inverse root mean square.
#[inline(always)]
fn normalise<T: Element>(x: &[T], w: &[T], eps: f64, y: &mut [T]) -> T {
    let mean = sum([x], |[x]| x * x) / x.len() as f64;
    let inv_rms = T::from_f64(1.0 / (mean + eps).sqrt());
    for ((y, &x), &w) in y.iter_mut().zip(x).zip(w) {
        *y = x * inv_rms * w;
    }
    inv_rms
}

struct Operands<'a, T> {
    dy: &'a [T],
    x: &'a [T],
    inv_rms: &'a [T],
    w: &'a [T],
    residual: Option<&'a [T]>,
    d: usize,
}

/// dx of every row, and if `partial` is given, the sum of dy·x·r over each block of rows.
fn backward_rows<T: Element>(op: &Operands<T>, dx: &mut [T], partial: Option<&mut [T]>) {
    let (n, d) = (op.inv_rms.len(), op.d);
    let min = min_rows(4 * d * size_of::<T>());
    let Some(partial) = partial else {
        return for_rows(
            n,
            min,
            [dx],
            #[inline(always)]
            |rows, [dx]| {
                for (i, row) in rows.enumerate() {
                    backward_row(op, row, &mut dx[i * d..][..d]);
                }
            },
        );
    };
    // A task is a range of blocks; the last block may be short, so dx is cut by hand from whole blocks.
    let dx = Pieces::new(dx);
    for_rows(
        n.div_ceil(BLOCK),
        min.div_ceil(BLOCK),
        [partial],
        #[inline(always)]
        |blocks, [partial]| {
            for (i, block) in blocks.enumerate() {
                let partial = &mut partial[i * d..][..d];
                partial.fill(T::ZERO);
                for row in block * BLOCK..((block + 1) * BLOCK).min(n) {
                    // SAFETY: each row belongs to one block, each block to one task.
                    let dx = unsafe { dx.piece(row * d, d) };
                    backward_row(op, row, dx);
                    let r = op.inv_rms[row];
                    for ((p, &dy), &x) in partial.iter_mut().zip(&op.dy[row * d..][..d]).zip(&op.x[row * d..][..d]) {
                        *p += dy * x * r;
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn backward_row<T: Element>(op: &Operands<T>, row: usize, dx: &mut [T]) {
    let d = op.d;
    let (dy, x) = (&op.dy[row * d..][..d], &op.x[row * d..][..d]);
    let r = op.inv_rms[row];
    let mean = sum([dy, x, op.w], |[dy, x, w]| dy * w * x) / d as f64;
    let back = T::from_f64(r.to_f64().powi(3) * mean);
    match op.residual {
        None => {
            for (((dx, &dy), &x), &w) in dx.iter_mut().zip(dy).zip(x).zip(op.w) {
                *dx = r * w * dy - x * back;
            }
        }
        Some(residual) => {
            let residual = &residual[row * d..][..d];
            for ((((dx, &dy), &x), &w), &past) in dx.iter_mut().zip(dy).zip(x).zip(op.w).zip(residual) {
                *dx = r * w * dy - x * back + past;
            }
        }
    }
}

/// `grad (+)=` the column sums of `partial`, in f64 and in order.
fn add_partials<T: Element>(partial: &[T], grad: &mut [T], first: bool) {
    let d = grad.len();
    let blocks = partial.len() / d.max(1);
    for_rows(
        d,
        min_rows(blocks * size_of::<T>()),
        [grad],
        #[inline(always)]
        |columns, [grad]| {
            let mut total: Vec<f64> = grad.iter().map(|g| if first { 0.0 } else { g.to_f64() }).collect();
            for block in partial.chunks_exact(d) {
                for (t, p) in total.iter_mut().zip(&block[columns.clone()]) {
                    *t += p.to_f64();
                }
            }
            for (g, &t) in grad.iter_mut().zip(&total) {
                *g = T::from_f64(t);
            }
        },
    );
}
