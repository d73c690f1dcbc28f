//! The squared norm of a gradient.

use std::ops::Range;

use candle_core::Tensor;

use crate::access::read;
use crate::reduce::sum_of_squares;
use crate::rows::for_rows;
use crate::{Result, check, for_dtype};

/// Elements per partial sum, and so the grain of the work.
const CHUNK: usize = 1 << 16;

/// `Σ g²` over the rows `rows` of the leading dimension.
///
/// Squares and sums are f64, so a finite f32 gradient never overflows and the result is finite exactly if every element
/// is. Chunks of 65,536 elements are summed apart and then in order: the bits do not depend on the number of threads.
pub fn sum_squares(grad: &Tensor, rows: Range<usize>) -> Result<f64> {
    const OP: &str = "grad_norm.sum_squares";
    let elements = check::leading(OP, ("grad", grad), &rows)?;
    for_dtype!(OP, grad, T => read(OP, ("grad", grad), |grad: &[T]| {
        let grad = &grad[elements];
        let mut partial = vec![0.0f64; grad.len().div_ceil(CHUNK)];
        for_rows(partial.len(), 1, [&mut partial[..]], #[inline(always)] |chunks, [partial]| {
            for (sum, chunk) in partial.iter_mut().zip(chunks) {
                let end = ((chunk + 1) * CHUNK).min(grad.len());
                *sum = sum_of_squares(&grad[chunk * CHUNK..end]);
            }
        });
        partial.iter().sum()
    }))
}
