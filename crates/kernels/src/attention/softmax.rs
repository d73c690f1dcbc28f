//! Rows of scores to probabilities, and back to the gradient of scores. Call inside [`widest`](crate::simd::widest).
//!
//! Sums run in `LANES` interleaved parts that are added in order at the end: the same bits for any vector width.

use crate::access::Element;

/// Rows of scores start this many elements apart, or a multiple of it, so that loops over [`mask`]ed rows have no remainder.
pub(crate) const LANES: usize = 16;

/// Sets what lies beyond the `visible` scores of a row to −∞ up to a whole number of lanes, and to 0 after them. Returns those
/// lanes, whose exponentials end in zeros.
#[inline(always)]
pub(crate) fn mask<T: Element>(row: &mut [T], visible: usize) -> &mut [T] {
    let end = visible.next_multiple_of(LANES);
    row[end..].fill(T::ZERO);
    row[visible..end].fill(T::NEG_INFINITY);
    &mut row[..end]
}

/// The largest element; NaN is skipped.
#[inline(always)]
pub(crate) fn maximum<T: Element>(row: &[T]) -> T {
    let mut lanes = [T::NEG_INFINITY; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &z) in lanes.iter_mut().zip(chunk) {
            *lane = if z > *lane { z } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(T::NEG_INFINITY, |max, &z| if z > max { z } else { max })
}

/// Replaces each s by exp(scale·(s − max)) and returns their sum.
#[inline(always)]
pub(crate) fn exponentiate<T: Element>(row: &mut [T], max: T, scale: T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    for chunk in whole {
        for (lane, s) in lanes.iter_mut().zip(chunk) {
            *s = ((*s - max) * scale).fast_exp();
            *lane += *s;
        }
    }
    let mut sum = total(lanes);
    for s in rest {
        *s = ((*s - max) * scale).fast_exp();
        sum += *s;
    }
    sum
}

/// Scalar product.
#[inline(always)]
pub(crate) fn dot<T: Element>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let ((whole_a, rest_a), (whole_b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in whole_a.iter().zip(whole_b) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest = rest_a.iter().zip(rest_b).map(|(&a, &b)| a * b).sum::<T>();
    total(lanes) + rest
}

/// y += a·x.
#[inline(always)]
pub(crate) fn add_scaled<T: Element>(y: &mut [T], a: T, x: &[T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// Sum of the lanes, halves upon each other.
#[inline(always)]
fn total<T: Element>(mut lanes: [T; LANES]) -> T {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

/// Replaces scores by p = exp(scale·s − lse) and dp by scale·p·(dp − d).
#[inline(always)]
pub(crate) fn gradient<T: Element>(scores: &mut [T], dp: &mut [T], scale: T, lse: T, d: T) {
    for (p, dp) in scores.iter_mut().zip(dp) {
        *p = (*p * scale - lse).fast_exp();
        *dp = *p * (*dp - d) * scale;
    }
}
