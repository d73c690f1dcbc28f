//! Linear layers: `y = x·Wᵀ + b` and its three gradients.

use candle_core::Tensor;

use coldstart_gemm::{Mat, MatMut, Precision, Rhs, Scalar, gemm};

use crate::access::{self, Element, tensor_from, uninit_vec, with};
use crate::rows::{for_rows, min_rows};
use crate::{Acc, Result, Weight, check, for_dtype};

/// `x·Wᵀ + b`. `x`: `[n, in]`, weight `[out, in]`, `bias`: `[out]`; returns `[n, out]`.
pub fn forward(x: &Tensor, weight: &Weight, bias: Option<&Tensor>) -> Result<Tensor> {
    forward_into(x, weight, bias, None)
}

/// As [`forward`], into `old` if its shape fits. The caller must hold no other handle to it.
pub fn forward_into(x: &Tensor, weight: &Weight, bias: Option<&Tensor>, old: Option<Tensor>) -> Result<Tensor> {
    const OP: &str = "linear.forward";
    let (rows, inner) = check::matrix(OP, ("x", x))?;
    let (outer, w) = (weight.out_features(), ("weight", weight.value()));
    check::shape(OP, ("x", x), &[rows, weight.in_features()], w)?;
    check::same_dtype(OP, ("x", x), w)?;
    for_dtype!(OP, x, T => {
        let packed = weight.packed_forward::<T>()?;
        // SAFETY: the product overwrites every element.
        let y = unsafe { access::output::<T>(old, &[rows, outer])? };
        let product = |x: &[T], bias: Option<&[T]>, y: &mut [T]| {
            let y = MatMut::new(y, rows, outer);
            gemm(Mat::new(x, rows, inner), Rhs::Packed(&packed), y, false, bias, weight.precision());
        };
        match bias {
            None => with(OP, [("x", x)], [("y", &y)], |[x], [y]| product(x, None, y))?,
            Some(bias) => {
                check::shape(OP, ("bias", bias), &[outer], w)?;
                with(OP, [("x", x), ("bias", bias)], [("y", &y)], |[x, bias], [y]| product(x, Some(bias), y))?;
            }
        }
        Ok(y)
    })
}

/// `dx = dy·W`. `dy`: `[n, out]`; returns `[n, in]`.
pub fn backward_input(dy: &Tensor, weight: &Weight) -> Result<Tensor> {
    const OP: &str = "linear.backward_input";
    let (rows, outer) = check::matrix(OP, ("dy", dy))?;
    let (inner, w) = (weight.in_features(), ("weight", weight.value()));
    check::shape(OP, ("dy", dy), &[rows, weight.out_features()], w)?;
    check::same_dtype(OP, ("dy", dy), w)?;
    for_dtype!(OP, dy, T => {
        let packed = weight.packed_backward::<T>()?;
        // SAFETY: the product overwrites every element.
        let mut dx = unsafe { uninit_vec::<T>(rows * inner) };
        access::read(OP, ("dy", dy), |dy| {
            let dx = MatMut::new(&mut dx, rows, inner);
            gemm(Mat::new(dy, rows, outer), Rhs::Packed(&packed), dx, false, None, weight.precision());
        })?;
        tensor_from(dx, &[rows, inner])
    })
}

/// `dW (+)= dyᵀ·x`. `dy`: `[n, out]`, `x`: `[n, in]`, gradient `[out, in]`.
pub fn backward_weight(dy: &Tensor, x: &Tensor, dw: Acc, precision: Precision) -> Result<()> {
    const OP: &str = "linear.backward_weight";
    let (rows, outer) = check::matrix(OP, ("dy", dy))?;
    let (_, inner) = check::matrix(OP, ("x", x))?;
    check::shape(OP, ("x", x), &[rows, inner], ("dy", dy))?;
    check::shape(OP, ("dw", dw.grad), &[outer, inner], ("dy", dy))?;
    for_dtype!(OP, dy, T => with(OP, [("dy", dy), ("x", x)], [("dw", dw.grad)], |[dy, x]: [&[T]; 2], [grad]| {
        let (dy, x) = (Mat::new(dy, rows, outer), Mat::new(x, rows, inner));
        gemm(dy.t(), Rhs::Plain(x), MatMut::new(grad, outer, inner), !dw.first, None, precision);
    }))
}

/// Rows added in the tensor's own type before their sum moves to f64.
const BLOCK: usize = 64;
/// Columns summed side by side by one task.
const STRIP: usize = 256;

/// `db (+)= Σ_rows dy`. `dy`: `[n, out]`, gradient `[out]`.
///
/// Rows are added in order, 64 at a time in the tensor's type and from block to block in f64; each column is summed by
/// one thread.
pub fn backward_bias(dy: &Tensor, db: Acc) -> Result<()> {
    const OP: &str = "linear.backward_bias";
    let (rows, outer) = check::matrix(OP, ("dy", dy))?;
    check::shape(OP, ("db", db.grad), &[outer], ("dy", dy))?;
    for_dtype!(OP, dy, T => with(OP, [("dy", dy)], [("db", db.grad)], |[dy]: [&[T]; 1], [grad]| {
        let min_columns = min_rows(rows * size_of::<T>()).max(STRIP);
        for_rows(outer, min_columns, [grad], #[inline(always)] |columns, [grad]| {
            for (strip, grad) in grad.chunks_mut(STRIP).enumerate() {
                let sums = column_sums(dy, outer, columns.start + strip * STRIP, grad.len());
                for (g, &sum) in grad.iter_mut().zip(&sums) {
                    *g = if db.first { T::from_f64(sum) } else { T::from_f64(g.to_f64() + sum) };
                }
            }
        });
    }))
}

/// Sums of the columns `start..start + width` of a matrix with `stride` columns; `width` ≤ [`STRIP`].
#[inline(always)]
fn column_sums<T: Element>(matrix: &[T], stride: usize, start: usize, width: usize) -> [f64; STRIP] {
    let mut total = [0.0; STRIP];
    for block in matrix.chunks(stride * BLOCK) {
        let mut partial = [T::ZERO; STRIP];
        for row in block.chunks_exact(stride) {
            for (p, &x) in partial.iter_mut().zip(&row[start..start + width]) {
                *p += x;
            }
        }
        for (t, p) in total.iter_mut().zip(&partial) {
            *t += p.to_f64();
        }
    }
    total
}
