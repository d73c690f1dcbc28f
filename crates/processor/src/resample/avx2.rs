//! The passes with AVX2: `vpmaddwd` on weights split in two 16-bit halves.
//!
//! A weight k = 2¹⁵·high + low, with 0 ≤ low < 2¹⁵, and a byte widened to 16 bits let one instruction do two taps of
//! eight sums, where 32-bit products would need four times the work. `2¹⁵·Σ high + Σ low` is exact modulo 2³², and the
//! total fits in 31 bits, so partial sums may wrap.

use std::arch::x86_64::*;

use super::portable::to_byte;
use super::weights::{HALF, PRECISION, Weights};

/// Bits of the low half.
const LOW: i32 = 15;

/// Weights of two neighbouring taps, each half as two 16-bit numbers in one word.
#[derive(Clone, Copy)]
struct Pair {
    low: i32,
    high: i32,
}

impl Pair {
    fn new(a: i32, b: i32) -> Self {
        let join = |a: i32, b: i32| (a & 0xffff) | (b << 16);
        let mask = (1 << LOW) - 1;
        Self { low: join(a & mask, b & mask), high: join(a >> LOW, b >> LOW) }
    }
}

/// The pairs of every window, padded with zero weights to `multiple` taps. Returns them with the pairs per window.
fn pairs(weights: &Weights, multiple: usize) -> (Vec<Pair>, usize) {
    let per_window = weights.longest().next_multiple_of(multiple) / 2;
    let windows = (0..weights.len()).map(|i| weights.window(i).1);
    let pairs = windows.flat_map(|ks| {
        let at = |j: usize| ks.get(j).copied().unwrap_or(0);
        (0..per_window).map(move |p| Pair::new(at(2 * p), at(2 * p + 1)))
    });
    (pairs.collect(), per_window)
}

/// `rgb` `[rows, width, 3]` to `out` `[rows, weights.len(), 3]`. Two rows at a time, one in each 128-bit lane.
///
/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn horizontal(rgb: &[u8], width: usize, weights: &Weights, out: &mut [u8]) {
    let (stride, out_stride) = (3 * width, 3 * weights.len());
    let rows = rgb.len() / stride;
    assert_eq!(out.len(), rows * out_stride, "output does not fit");
    let (pairs, per_window) = pairs(weights, 4);
    // A load takes 16 bytes for 4 pixels, and windows are padded: this many bytes from a row's start are read. Beyond
    // the window they meet weights of zero, so the next row's bytes do no harm; at the end there is no next row.
    let reach = (0..weights.len()).map(|i| 3 * (weights.window(i).0 + 2 * per_window) + 4).max().unwrap_or(0);
    let mut scratch = [vec![0; reach.max(stride)], vec![0; reach.max(stride)]];

    for y in (0..rows).step_by(2) {
        let pair_rows = [y, (y + 1).min(rows - 1)];
        let mut sources = [rgb; 2];
        for (source, row) in sources.iter_mut().zip(pair_rows) {
            *source = &rgb[row * stride..];
        }
        if sources[1].len() < reach {
            for (copy, source) in scratch.iter_mut().zip(&sources) {
                copy[..stride].copy_from_slice(&source[..stride]);
            }
            sources = [&scratch[0], &scratch[1]];
        }
        let (first, second) = out[y * out_stride..].split_at_mut(out_stride);
        // A single last row is computed twice, the second time into a copy.
        let mut spare = Vec::new();
        let second = if pair_rows[0] == pair_rows[1] {
            spare.resize(out_stride, 0);
            &mut spare[..]
        } else {
            &mut second[..out_stride]
        };
        // SAFETY: both sources hold at least `reach` bytes; both outputs hold `out_stride`.
        unsafe { two_rows(sources.map(<[u8]>::as_ptr), weights, &pairs, per_window, [first, second]) };
    }
}

/// # Safety
/// AVX2, and each source must be readable for `3·(start + 2·per_window) + 4` bytes of every window.
#[target_feature(enable = "avx2")]
unsafe fn two_rows(sources: [*const u8; 2], weights: &Weights, pairs: &[Pair], per_window: usize, out: [&mut [u8]; 2]) {
    // Bytes r g b r g b … to 16-bit pairs (r₀ r₁)(g₀ g₁)(b₀ b₁), for pixels 0, 1 and for pixels 2, 3.
    let taps01 = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    let taps23 = _mm256_broadcastsi128_si256(_mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
    let half = _mm256_set1_epi32(HALF);
    let last = weights.len() - 1;
    let [first, second] = out;
    for (i, pairs) in pairs.chunks_exact(per_window).enumerate() {
        let start = 3 * weights.window(i).0;
        let (mut low, mut high) = (half, _mm256_setzero_si256());
        for (group, pair) in pairs.chunks_exact(2).enumerate() {
            let at = start + 12 * group;
            // SAFETY: 16 bytes from `at` are within the promised reach.
            let bytes = unsafe {
                _mm256_inserti128_si256::<1>(
                    _mm256_castsi128_si256(_mm_loadu_si128(sources[0].add(at).cast())),
                    _mm_loadu_si128(sources[1].add(at).cast()),
                )
            };
            let a = _mm256_shuffle_epi8(bytes, taps01);
            let b = _mm256_shuffle_epi8(bytes, taps23);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(a, _mm256_set1_epi32(pair[0].low)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(a, _mm256_set1_epi32(pair[0].high)));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(b, _mm256_set1_epi32(pair[1].low)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(b, _mm256_set1_epi32(pair[1].high)));
        }
        let sum = finish(low, high);
        let bytes = _mm256_packus_epi16(_mm256_packs_epi32(sum, sum), _mm256_setzero_si256());
        let pixels = [_mm256_extract_epi32::<0>(bytes), _mm256_extract_epi32::<4>(bytes)].map(i32::to_le_bytes);
        for (row, pixel) in [&mut *first, &mut *second].into_iter().zip(pixels) {
            if i < last {
                // The fourth byte is zero and lands on the next pixel, which is written next.
                row[3 * i..3 * i + 4].copy_from_slice(&pixel);
            } else {
                row[3 * i..3 * i + 3].copy_from_slice(&pixel[..3]);
            }
        }
    }
}

/// `bytes` `[rows, stride]` to `out` `[weights.len(), stride]`, 32 columns at a time.
///
/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn vertical(bytes: &[u8], stride: usize, weights: &Weights, out: &mut [u8]) {
    assert_eq!(out.len(), weights.len() * stride, "output does not fit");
    let (pairs, per_window) = pairs(weights, 2);
    let rows = bytes.len() / stride;
    for ((i, out_row), pairs) in out.chunks_exact_mut(stride).enumerate().zip(pairs.chunks_exact(per_window)) {
        let (start, ks) = weights.window(i);
        let pairs = &pairs[..ks.len().div_ceil(2)];
        let mut column = 0;
        while column + 32 <= stride {
            // SAFETY: windows stay inside the input, so rows start … start + taps − 1 exist; a row of an odd last tap
            // is clamped inside the function. 32 columns from `column` exist.
            unsafe { block(bytes, stride, start, rows - 1, column, pairs, &mut out_row[column..column + 32]) };
            column += 32;
        }
        for column in column..stride {
            let taps = bytes[start * stride + column..].iter().step_by(stride).zip(ks);
            out_row[column] = to_byte(taps.fold(HALF, |sum, (&v, &k)| sum + i32::from(v) * k));
        }
    }
}

/// # Safety
/// AVX2; rows `start` to `start + 2·pairs − 2` and `last_row`, and 32 columns from `column`, lie inside `bytes`; `out`
/// holds 32 bytes.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn block(
    bytes: &[u8],
    stride: usize,
    start: usize,
    last_row: usize,
    column: usize,
    pairs: &[Pair],
    out: &mut [u8],
) {
    let zero = _mm256_setzero_si256();
    let mut low = [_mm256_set1_epi32(HALF); 4];
    let mut high = [zero; 4];
    for (p, pair) in pairs.iter().enumerate() {
        let row = start + 2 * p;
        let [a, b] = [row, (row + 1).min(last_row)].map(|row| {
            // SAFETY: the caller vouches for rows and columns.
            unsafe { _mm256_loadu_si256(bytes.as_ptr().add(row * stride + column).cast()) }
        });
        let (front, back) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
        let words = [
            _mm256_unpacklo_epi8(front, zero),
            _mm256_unpackhi_epi8(front, zero),
            _mm256_unpacklo_epi8(back, zero),
            _mm256_unpackhi_epi8(back, zero),
        ];
        let (k_low, k_high) = (_mm256_set1_epi32(pair.low), _mm256_set1_epi32(pair.high));
        for q in 0..4 {
            low[q] = _mm256_add_epi32(low[q], _mm256_madd_epi16(words[q], k_low));
            high[q] = _mm256_add_epi32(high[q], _mm256_madd_epi16(words[q], k_high));
        }
    }
    let [a, b, c, d] = [0, 1, 2, 3].map(|q| finish(low[q], high[q]));
    // Unpacking and packing work inside 128-bit lanes alike, so the bytes are back in order.
    let packed = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // SAFETY: the caller vouches for 32 bytes.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), packed) };
}

/// The joined sums, rounded and shifted; the saturating packs that follow clamp them to bytes.
#[target_feature(enable = "avx2")]
#[inline]
fn finish(low: __m256i, high: __m256i) -> __m256i {
    _mm256_srai_epi32::<{ PRECISION as i32 }>(_mm256_add_epi32(_mm256_slli_epi32::<LOW>(high), low))
}
