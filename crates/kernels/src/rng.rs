//! Counter-based random numbers: every draw is a function of (seed, purpose, step, sample, token) and of nothing else, so a
//! rollout does not depend on batch composition, order or the number of threads, and resuming needs no generator state.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

use coldstart_gemm::{Scalar, pool};

/// What a stream of numbers is for. Streams of different purposes are independent under one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights.
    Init = 1,
    /// Order of examples within an epoch.
    Shuffle = 2,
    /// Tokens of a rollout.
    Sample = 3,
}

/// Names a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub seed: u64,
    pub purpose: Purpose,
}

impl Key {
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        Self { seed, purpose }
    }

    /// A uniform number in [0, 1) with 53 random bits.
    pub fn uniform(&self, step: u32, sample: u64, token: u32) -> f64 {
        let [a, b, ..] = self.words(step, sample, token);
        unit(a, b)
    }

    /// A standard normal number (Box–Muller in f64).
    pub fn normal(&self, step: u32, sample: u64, token: u32) -> f64 {
        self.normal_pair(step, sample, token)[0]
    }

    /// Fills `out` with normal numbers of standard deviation `std`. Element i depends on (step, i) only: `out` may be filled in
    /// any number of pieces or threads. f32 and f64 get the same numbers up to rounding.
    pub fn fill_normal<T: Scalar>(&self, step: u32, std: f64, out: &mut [T]) {
        const PIECE: usize = 8192;
        let pieces = out.len().div_ceil(PIECE);
        let slots: Vec<std::sync::Mutex<&mut [T]>> = out.chunks_mut(PIECE).map(std::sync::Mutex::new).collect();
        pool::run(pieces, &|piece| {
            // A poisoned lock means this very closure panicked, and then the pool panics too.
            let mut slot = slots[piece].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            for (pair, two) in slot.chunks_mut(2).enumerate() {
                let normal = self.normal_pair(step, (piece * PIECE / 2 + pair) as u64, 0);
                for (value, normal) in two.iter_mut().zip(normal) {
                    *value = T::from_f64(normal * std);
                }
            }
        });
    }

    fn normal_pair(&self, step: u32, sample: u64, token: u32) -> [f64; 2] {
        let [a, b, c, d] = self.words(step, sample, token);
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - unit(a, b)).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * unit(c, d)).sin_cos();
        [radius * cos, radius * sin]
    }

    fn words(&self, step: u32, sample: u64, token: u32) -> [u32; 4] {
        // 64 key bits belong to the seed, so the purpose is mixed in by one extra block.
        let [k0, k1, ..] = philox([self.purpose as u32, 0, 0, 0], [self.seed as u32, (self.seed >> 32) as u32]);
        philox([token, sample as u32, (sample >> 32) as u32, step], [k0, k1])
    }
}

/// A permutation of 0..n: Fisher–Yates with the stream (seed, `Shuffle`) at step `epoch`.
pub fn permutation(seed: u64, epoch: u32, n: usize) -> Vec<u32> {
    let key = Key::new(seed, Purpose::Shuffle);
    let mut order: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        let j = (key.uniform(epoch, i as u64, 0) * (i + 1) as f64) as usize;
        order.swap(i, j.min(i));
    }
    order
}

/// 53 of the 64 bits as a fraction of 2^53.
fn unit(low: u32, high: u32) -> f64 {
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
    bits as f64 * (1.0 / (1u64 << 53) as f64)
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xD251_1F53;
        let b = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors published with Random123 (kat_vectors, philox4x32 10).
    #[test]
    fn philox_gives_the_known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
            (
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
                [0xa4093822, 0x299f31d0],
                [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn uniform_is_in_range_with_the_moments_of_a_uniform() {
        let key = Key::new(7, Purpose::Sample);
        let draws: Vec<f64> = (0..40_000).map(|i| key.uniform(i % 5, u64::from(i / 5), i % 3)).collect();
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        // Standard errors: 0.0014 and 0.0004.
        assert!((mean - 0.5).abs() < 0.006, "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.002, "variance {variance}");
    }

    #[test]
    fn every_coordinate_of_the_counter_changes_the_draw() {
        let u = |seed, purpose, step, sample, token| Key::new(seed, purpose).uniform(step, sample, token);
        let base = u(1, Purpose::Sample, 2, 3, 4);
        assert_ne!(base, u(1 + (1 << 40), Purpose::Sample, 2, 3, 4));
        assert_ne!(base, u(1, Purpose::Init, 2, 3, 4));
        assert_ne!(base, u(1, Purpose::Sample, 3, 3, 4));
        assert_ne!(base, u(1, Purpose::Sample, 2, 3 + (1 << 40), 4));
        assert_ne!(base, u(1, Purpose::Sample, 2, 3, 5));
        assert_eq!(base, u(1, Purpose::Sample, 2, 3, 4));
    }

    #[test]
    fn normal_has_the_moments_of_a_normal() {
        let mut z = vec![0f64; 40_001];
        Key::new(3, Purpose::Init).fill_normal(0, 2.0, &mut z);
        let n = z.len() as f64;
        let mean = z.iter().sum::<f64>() / n;
        let variance = z.iter().map(|x| x * x).sum::<f64>() / n;
        let kurtosis = z.iter().map(|x| x.powi(4)).sum::<f64>() / n / variance.powi(2);
        assert!(mean.abs() < 0.04, "mean {mean}");
        assert!((variance - 4.0).abs() < 0.12, "variance {variance}");
        assert!((kurtosis - 3.0).abs() < 0.1, "kurtosis {kurtosis}");
    }

    #[test]
    fn fill_normal_gives_the_same_bits_for_one_and_two_threads() {
        let fill = |threads| {
            let mut out = vec![0f32; 30_000];
            pool::with_threads(threads, || Key::new(9, Purpose::Init).fill_normal(1, 0.02, &mut out));
            out
        };
        assert_eq!(fill(1), fill(2));
    }

    #[test]
    fn permutation_holds_every_index_once_and_follows_seed_and_epoch() {
        let order = permutation(5, 0, 1000);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..1000));
        assert_eq!(order, permutation(5, 0, 1000));
        assert_ne!(order, permutation(5, 1, 1000));
        assert_ne!(order, permutation(6, 0, 1000));
        assert!(permutation(1, 0, 0).is_empty());
    }

    /// 6 orders of 3 elements over 6,000 epochs; the limit is the 99.9 % point of chi-square with 5 degrees of freedom.
    #[test]
    fn permutations_of_three_are_equally_likely() {
        let mut counts = std::collections::HashMap::new();
        for epoch in 0..6000 {
            *counts.entry(permutation(11, epoch, 3)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        let chi_square: f64 = counts.values().map(|&c| (f64::from(c) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi_square < 20.5, "chi-square {chi_square}");
    }
}
