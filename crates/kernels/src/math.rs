//! Exponential, sigmoid and the normal distribution: branch-free in f32 so that loops over them vectorise, library
//! precision in f64.
//!
//! The f32 forms use no fused multiply-add, so they give the same bits whatever vectors they are compiled for. Results
//! below the normal range may be flushed to zero.

/// Elementary functions that kernels use inside loops.
pub trait Real: Copy {
    /// `eˣ`.
    fn fast_exp(self) -> Self;
    /// `1 / (1 + e⁻ˣ)`.
    fn sigmoid(self) -> Self;
    /// `(Φ(x), φ(x))`: distribution and density of the standard normal.
    fn normal(self) -> (Self, Self);
}

impl Real for f32 {
    #[inline(always)]
    fn fast_exp(self) -> f32 {
        exp(self)
    }

    #[inline(always)]
    fn sigmoid(self) -> f32 {
        sigmoid(self)
    }

    #[inline(always)]
    fn normal(self) -> (f32, f32) {
        normal(self)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn fast_exp(self) -> f64 {
        self.exp()
    }

    #[inline(always)]
    fn sigmoid(self) -> f64 {
        1.0 / (1.0 + (-self).exp())
    }

    #[inline(always)]
    fn normal(self) -> (f64, f64) {
        let cdf = 0.5 * libm::erfc(-self * std::f64::consts::FRAC_1_SQRT_2);
        (cdf, INV_SQRT_2PI * (-0.5 * self * self).exp())
    }
}

const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `eˣ` to 1 ulp; 0 below −87.68 (where it is denormal), ∞ above 88.37, NaN at NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (rest, scale) = split(x);
    power(rest) * scale
}

/// `1 / (1 + e⁻ˣ)` to 2.5 ulp; 0 below −88.37, where the true value is denormal.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Distribution and density of the standard normal, `(Φ(x), φ(x))`, each to 6 ulp, in the far tails too.
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let t = x.abs();
    let t = if t > 40.0 { 40.0 } else { t };
    // t² is split into a part that squares exactly and a rest, because e^(−t²/2) turns an absolute error of the
    // exponent into a relative one of the result.
    let high = f32::from_bits(t.to_bits() & 0xffff_f000);
    let gauss = exp_of_sum(-0.5 * high * high, -0.5 * (t - high) * (t + high));
    let tail = gauss * mills(t);
    let cdf = if x < 0.0 { tail } else { 1.0 - tail };
    (cdf, INV_SQRT_2PI as f32 * gauss)
}

/// `e^(a+b)` for |b| ≪ 1.
#[inline(always)]
fn exp_of_sum(a: f32, b: f32) -> f32 {
    let (rest, scale) = split(a);
    power(rest + b) * scale
}

/// r and 2ⁿ with x = n·ln2 + r and |r| ≤ ln2/2. The factor is 0 for n = −127 and ∞ for n = 128.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    // Adding it rounds to an integer, which then sits in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has zeros enough for an exact product with any n used here.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;

    // Comparisons instead of min and max, which would drop a NaN.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -88.0 { -88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // The shift pushes the bits of ROUND itself out; what stays is n where the exponent belongs.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    ((x - n * LN2_HIGH) - n * LN2_LOW, scale)
}

/// `eʳ` for |r| ≤ ln2/2 as `1 + r + r²·Q(r)`.
///
/// Q is the polynomial of degree 4 that minimises the relative error of the whole (3.1e-9), found like P below.
#[inline(always)]
fn power(r: f32) -> f32 {
    let q = 0.001_381_454;
    let q = q * r + 0.008_368_745;
    let q = q * r + 0.041_668_39;
    let q = q * r + 0.166_665_21;
    let q = q * r + 0.499_999_94;
    1.0 + (r + (r * r) * q)
}

/// `(1 − Φ(t)) / e^(−t²/2)` for t ≥ 0, as `u·P(u)` with u = 1/(1 + 0.375·t).
///
/// P is the minimax polynomial of degree 9 (relative error 1.3e-8 on 0 ≤ t ≤ 14.5, where the tail ends in f32), found
/// by reweighted least squares on Chebyshev nodes against 40-digit values. Centring it on u = ¾ rounds least in f32.
#[inline(always)]
fn mills(t: f32) -> f32 {
    const P: [f32; 10] = [
        0.020_899_434,
        0.007_069_709,
        -0.035_958_667,
        0.016_482_833,
        0.048_318_823,
        -0.076_670_97,
        -0.074_909_25,
        0.227_120_74,
        0.468_136_96,
        0.370_191_46,
    ];
    let u = 1.0 / (1.0 + 0.375 * t);
    let v = u - 0.75;
    let mut p = P[0];
    for c in &P[1..] {
        p = p * v + c;
    }
    u * p
}
