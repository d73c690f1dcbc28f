//! Sums over a row in an order fixed by its length alone.

use coldstart_gemm::Scalar;

/// Partial sums kept side by side, enough to hide the latency of an addition in vectors of any width.
pub(crate) const LANES: usize = 32;
/// Lane additions in `T` before the lanes move to f64, which bounds the rounding error for rows of any length.
const BLOCK: usize = 32;

/// `Σ_i term(inputs[0][i], inputs[1][i], …)`; products and short partial sums in `T`, the rest in f64.
///
/// Element i goes to lane i mod 32; after 32 additions per lane the lanes are added to f64 lanes, which are folded in
/// halves at the end. All inputs have the same length, and `term` is 0 where they are 0: the last lanes are filled up
/// with zeros.
#[inline(always)]
pub(crate) fn sum<T: Scalar, const K: usize>(inputs: [&[T]; K], term: impl Fn([T; K]) -> T) -> f64 {
    let chunked = inputs.map(|x| x.as_chunks::<LANES>());
    let chunks = chunked[0].0.len();
    let mut total = [0.0f64; LANES];
    let mut start = 0;
    while start < chunks {
        let end = (start + BLOCK).min(chunks);
        let mut lanes = [T::ZERO; LANES];
        for c in start..end {
            let rows: [&[T; LANES]; K] = std::array::from_fn(|k| &chunked[k].0[c]);
            for l in 0..LANES {
                lanes[l] += term(std::array::from_fn(|k| rows[k][l]));
            }
        }
        for l in 0..LANES {
            total[l] += lanes[l].to_f64();
        }
        start = end;
    }
    if !chunked[0].1.is_empty() {
        let rest = chunked.map(|(_, tail)| padded(tail));
        for l in 0..LANES {
            total[l] += term(std::array::from_fn(|k| rest[k][l])).to_f64();
        }
    }
    fold(&total)
}

/// `Σ x²`, all of it in f64.
#[inline(always)]
pub(crate) fn sum_of_squares<T: Scalar>(x: &[T]) -> f64 {
    let (chunks, tail) = x.as_chunks::<LANES>();
    let mut lanes = [0.0f64; LANES];
    for chunk in chunks {
        add_squares(&mut lanes, chunk);
    }
    add_squares(&mut lanes, &padded(tail));
    fold(&lanes)
}

#[inline(always)]
fn add_squares<T: Scalar>(lanes: &mut [f64; LANES], chunk: &[T; LANES]) {
    for l in 0..LANES {
        let x = chunk[l].to_f64();
        lanes[l] += x * x;
    }
}

/// A short chunk followed by zeros. (Adding the tail by index would keep the lanes in memory during the whole loop.)
#[inline(always)]
fn padded<T: Scalar>(tail: &[T]) -> [T; LANES] {
    let mut chunk = [T::ZERO; LANES];
    chunk[..tail.len()].copy_from_slice(tail);
    chunk
}

/// Adds the lanes in halves. A call of its own: inlined, its shape misleads the compiler into 128-bit vectors for the
/// loop before it.
#[inline(never)]
fn fold(lanes: &[f64; LANES]) -> f64 {
    let mut lanes = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] += lanes[l + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::{sum, sum_of_squares};

    #[test]
    fn sums_of_every_length_count_each_element_once() {
        for n in [0, 1, 31, 32, 33, 1023, 1024, 1025, 5000] {
            let x: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            let want = (n * (n + 1) / 2) as f64;
            assert!((sum([&x[..]], |[x]| x) - want).abs() <= 1e-7 * want, "{n}");
        }
    }

    #[test]
    fn squares_are_exact_beyond_the_range_of_f32() {
        let x = vec![1e30f32; 100];
        let want = 100.0 * (1e30f32 as f64).powi(2);
        assert!((sum_of_squares(&x) / want - 1.0).abs() < 1e-15);
    }

    #[test]
    fn rounding_does_not_grow_with_the_length() {
        let x = vec![0.1f32; 1 << 20];
        let got = sum([&x[..], &x[..]], |[a, b]| a * b) / x.len() as f64;
        assert!((got / (0.1f32 * 0.1f32) as f64 - 1.0).abs() < 1e-6);
    }
}
