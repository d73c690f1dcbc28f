//! Pillow's bicubic resampler for 8-bit RGB, bit for bit.
//!
//! Two separable passes, each rounded to 8 bits; a pass that keeps the length is skipped. Weights are integers with 22
//! fractional bits, so the sums are exact and every way of ordering them gives the same bytes.

mod weights;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use std::borrow::Cow;

use weights::Weights;

/// Resizes `rgb` `[height, width, 3]` from `(width, height)` to `(width, height)`. Returns `[height, width, 3]`, the
/// input itself when the size does not change.
///
/// Panics when `rgb` does not fit its size or a side is zero; [`ImageProcessor`](crate::ImageProcessor) checks both.
pub fn resize_bicubic(rgb: &[u8], from: (usize, usize), to: (usize, usize)) -> Cow<'_, [u8]> {
    assert_eq!(rgb.len(), 3 * from.0 * from.1, "pixels do not fit the size");
    assert!(from.0 > 0 && from.1 > 0 && to.0 > 0 && to.1 > 0, "a side is zero");
    let across = |image: Cow<'_, [u8]>| horizontal(&image, from.0, &Weights::bicubic(from.0, to.0));
    let down = |image: Cow<'_, [u8]>, width| vertical(&image, 3 * width, &Weights::bicubic(from.1, to.1));
    // Both roundings make the order of the passes visible. Pillow 13 goes vertically first where that removes more than
    // twice as many rows as the horizontal pass removes columns; older releases do so for very tall images only.
    let (columns, rows) = (from.0 as i64 - to.0 as i64, from.1 as i64 - to.1 as i64);
    let rows_first = rows > 0 && rows > 2 * columns;
    let image = Cow::Borrowed(rgb);
    match (from.0 != to.0, from.1 != to.1) {
        (false, false) => image,
        (true, false) => Cow::Owned(across(image)),
        (false, true) => Cow::Owned(down(image, to.0)),
        (true, true) if rows_first => Cow::Owned(across(Cow::Owned(down(image, from.0)))),
        (true, true) => Cow::Owned(down(Cow::Owned(across(image)), to.0)),
    }
}

/// `rgb` `[rows, width, 3]` to `[rows, weights.len(), 3]`.
fn horizontal(rgb: &[u8], width: usize, weights: &Weights) -> Vec<u8> {
    let mut out = vec![0; rgb.len() / width * weights.len()];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just detected.
        unsafe { avx2::horizontal(rgb, width, weights, &mut out) };
        return out;
    }
    portable::horizontal(rgb, width, weights, &mut out);
    out
}

/// `bytes` `[rows, stride]` to `[weights.len(), stride]`.
fn vertical(bytes: &[u8], stride: usize, weights: &Weights) -> Vec<u8> {
    let mut out = vec![0; stride * weights.len()];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just detected.
        unsafe { avx2::vertical(bytes, stride, weights, &mut out) };
        return out;
    }
    portable::vertical(bytes, stride, weights, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noise(len: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let step = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Extremes are what overshoots: a quarter of the bytes are 0 or 255.
            match state >> 56 & 7 {
                0 => 0,
                1 => 255,
                _ => (state >> 32) as u8,
            }
        };
        (0..len).map(step).collect()
    }

    /// The definition, pass by pass in i64, horizontal first.
    fn reference(rgb: &[u8], (w, h): (usize, usize), (ow, oh): (usize, usize)) -> Vec<u8> {
        let pass = |n: usize, m: usize, lines: usize, read: &dyn Fn(usize, usize, usize) -> u8| -> Vec<Vec<[u8; 3]>> {
            let weights = Weights::bicubic(n, m);
            let value = |line, i, c| {
                let (start, ks) = weights.window(i);
                let sum: i64 =
                    ks.iter().enumerate().map(|(j, &k)| i64::from(read(line, start + j, c)) * i64::from(k)).sum();
                ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8
            };
            (0..lines).map(|l| (0..m).map(|i| [0, 1, 2].map(|c| value(l, i, c))).collect()).collect()
        };
        let input: Vec<Vec<[u8; 3]>> =
            (0..h).map(|y| (0..w).map(|x| [0, 1, 2].map(|c| rgb[3 * (y * w + x) + c])).collect()).collect();
        let turned = |image: &[Vec<[u8; 3]>]| -> Vec<Vec<[u8; 3]>> {
            (0..image[0].len()).map(|x| image.iter().map(|row| row[x]).collect()).collect()
        };
        let across = |image: Vec<Vec<[u8; 3]>>| {
            if w == ow { image } else { pass(w, ow, image.len(), &|y, x, c| image[y][x][c]) }
        };
        let down = |image: Vec<Vec<[u8; 3]>>| {
            if h == oh { image } else { turned(&pass(h, oh, image[0].len(), &|x, y, c| image[y][x][c])) }
        };
        let rows_first = h > oh && (h as i64 - oh as i64) > 2 * (w as i64 - ow as i64);
        let result = if rows_first { across(down(input)) } else { down(across(input)) };
        result.concat().concat()
    }

    #[test]
    fn an_unchanged_size_returns_the_same_bytes_without_a_copy() {
        let rgb = noise(3 * 20 * 10, 1);
        assert!(matches!(resize_bicubic(&rgb, (20, 10), (20, 10)), Cow::Borrowed(b) if b == rgb));
    }

    #[test]
    fn a_flat_image_stays_flat() {
        for level in [0, 1, 127, 254, 255] {
            let out = resize_bicubic(&[level; 3 * 37 * 23], (37, 23), (56, 28)).into_owned();
            assert!(out.iter().all(|&v| v == level), "level {level}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_size_equals_the_definition(w in 1usize..80, h in 1usize..50, ow in 1usize..80, oh in 1usize..50, seed: u64) {
            let rgb = noise(3 * w * h, seed);
            prop_assert_eq!(resize_bicubic(&rgb, (w, h), (ow, oh)).into_owned(), reference(&rgb, (w, h), (ow, oh)));
        }

        #[test]
        fn the_portable_passes_equal_the_dispatched_ones(w in 1usize..150, h in 1usize..20, m in 1usize..150, seed: u64) {
            let rgb = noise(3 * w * h, seed);
            let mut out = vec![0; 3 * m * h];
            portable::horizontal(&rgb, w, &Weights::bicubic(w, m), &mut out);
            prop_assert_eq!(&out, &horizontal(&rgb, w, &Weights::bicubic(w, m)));
            // The same bytes read as w rows of h pixels.
            let mut out = vec![0; 3 * m * h];
            portable::vertical(&rgb, 3 * h, &Weights::bicubic(w, m), &mut out);
            prop_assert_eq!(&out, &vertical(&rgb, 3 * h, &Weights::bicubic(w, m)));
        }
    }

    #[test]
    fn strong_reduction_equals_the_definition() {
        // Windows of hundreds of taps: the partial sums of the vector kernels wrap, their total does not.
        let rgb = noise(3 * 3000 * 40, 9);
        for (from, to) in [((3000, 40), (5, 20)), ((40, 3000), (20, 5))] {
            assert_eq!(resize_bicubic(&rgb, from, to).into_owned(), reference(&rgb, from, to));
        }
    }
}
