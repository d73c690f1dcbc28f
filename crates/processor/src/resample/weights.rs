//! The integer weights of one pass.

/// Fractional bits of a weight.
pub const PRECISION: u32 = 22;
/// One half in that precision: added before the shift, which then rounds.
pub const HALF: i32 = 1 << (PRECISION - 1);

/// For each output position the first input position it reads and the weights from there on.
pub struct Weights {
    starts: Vec<usize>,
    lens: Vec<usize>,
    /// `[len, taps]`, zero beyond each window.
    values: Vec<i32>,
    taps: usize,
}

impl Weights {
    /// Bicubic (a = −0.5) from `n` to `m` samples, widened by `n/m` when reducing. Every operation is a rounded f64 one
    /// in Pillow's order, because a weight on the edge of two integers must fall on the same side.
    pub fn bicubic(n: usize, m: usize) -> Self {
        let scale = n as f64 / m as f64;
        let filter_scale = scale.max(1.0);
        let support = 2.0 * filter_scale;
        let inverse = 1.0 / filter_scale;
        let taps = support.ceil() as usize * 2 + 1;
        let mut weights =
            Self { starts: Vec::with_capacity(m), lens: Vec::with_capacity(m), values: vec![0; m * taps], taps };
        let mut window = Vec::with_capacity(taps);
        for (i, values) in weights.values.chunks_exact_mut(taps).enumerate() {
            let center = (i as f64 + 0.5) * scale;
            // The casts truncate; a negative start saturates to 0, which is the bound anyway.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(n);
            window.clear();
            window.extend((start..end).map(|j| cubic((j as f64 - center + 0.5) * inverse)));
            let mut sum = 0.0;
            for w in &window {
                sum += w;
            }
            for (value, w) in values.iter_mut().zip(&window) {
                let w = if sum == 0.0 { *w } else { w / sum };
                let half = if w < 0.0 { -0.5 } else { 0.5 };
                *value = (half + w * f64::from(1 << PRECISION)) as i32;
            }
            weights.starts.push(start);
            weights.lens.push(end - start);
        }
        weights
    }

    /// Number of output positions.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// First input position and weights of output position `i`.
    pub fn window(&self, i: usize) -> (usize, &[i32]) {
        (self.starts[i], &self.values[i * self.taps..][..self.lens[i]])
    }

    /// Length of the longest window.
    pub fn longest(&self) -> usize {
        self.lens.iter().copied().max().unwrap_or(0)
    }
}

/// The cubic convolution kernel with a = −0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_within_rounding_and_stay_inside_the_input() {
        for (n, m) in [(1, 7), (7, 1), (512, 504), (300, 56), (56, 300), (2725, 1092), (3000, 5)] {
            let weights = Weights::bicubic(n, m);
            for i in 0..m {
                let (start, ks) = weights.window(i);
                assert!(!ks.is_empty() && start + ks.len() <= n, "{n} to {m}, position {i}");
                let sum: i64 = ks.iter().map(|&k| i64::from(k)).sum();
                assert!((sum - (1 << PRECISION)).abs() <= ks.len() as i64, "{n} to {m}, position {i}: {sum}");
            }
        }
    }

    #[test]
    fn sums_of_bytes_fit_in_32_bits() {
        for (n, m) in [(1, 7), (7, 3), (512, 504), (56, 300), (2725, 1092)] {
            let weights = Weights::bicubic(n, m);
            for i in 0..m {
                let magnitude: i64 = weights.window(i).1.iter().map(|&k| 255 * i64::from(k).abs()).sum();
                assert!(magnitude + i64::from(HALF) < i64::from(i32::MAX), "{n} to {m}, position {i}");
            }
        }
    }
}
