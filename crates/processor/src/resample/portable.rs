//! The passes in plain Rust, for processors without a vector kernel of their own.

use super::weights::{HALF, PRECISION, Weights};

pub fn horizontal(rgb: &[u8], width: usize, weights: &Weights, out: &mut [u8]) {
    for (row, out_row) in rgb.chunks_exact(3 * width).zip(out.chunks_exact_mut(3 * weights.len())) {
        for (i, pixel) in out_row.chunks_exact_mut(3).enumerate() {
            let (start, ks) = weights.window(i);
            let mut sums = [HALF; 3];
            for (source, &k) in row[3 * start..].chunks_exact(3).zip(ks) {
                for c in 0..3 {
                    sums[c] += i32::from(source[c]) * k;
                }
            }
            pixel.copy_from_slice(&sums.map(to_byte));
        }
    }
}

pub fn vertical(bytes: &[u8], stride: usize, weights: &Weights, out: &mut [u8]) {
    let mut sums = vec![0; stride];
    for (i, out_row) in out.chunks_exact_mut(stride).enumerate() {
        let (start, ks) = weights.window(i);
        sums.fill(HALF);
        for (row, &k) in bytes[start * stride..].chunks_exact(stride).zip(ks) {
            for (sum, &v) in sums.iter_mut().zip(row) {
                *sum += i32::from(v) * k;
            }
        }
        for (byte, &sum) in out_row.iter_mut().zip(&sums) {
            *byte = to_byte(sum);
        }
    }
}

/// A sum that already holds the half, as a byte.
pub fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}
