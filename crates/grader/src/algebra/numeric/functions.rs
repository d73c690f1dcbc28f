//! Elementary functions of real numbers: argument reduction, a Taylor sum in fixed point, and the reduction undone.
//!
//! All are accurate to about 12 bits less than the words hold, relative to the result; `sin_cos` of an argument beyond one
//! relative to the argument, so that a result near zero keeps fewer bits.

use super::real::Real;
use super::words::{add_carry, inverse_factorial, product, sub_borrow};

const PI_WORDS: [u64; 8] = [
    0xc90f_daa2_2168_c234,
    0xc4c6_628b_80dc_1cd1,
    0x2902_4e08_8a67_cc74,
    0x020b_bea6_3b13_9b22,
    0x514a_0879_8e34_04dd,
    0xef95_19b3_cd3a_431b,
    0x302b_0a6d_f25f_1437,
    0x4fe1_356d_6d51_c245,
];
const LN_2_WORDS: [u64; 8] = [
    0xb172_17f7_d1cf_79ab,
    0xc9e3_b398_03f2_f6af,
    0x40f3_4326_7298_b62d,
    0x8a0d_175b_8baa_fa2b,
    0xe7b8_7620_6deb_ac98,
    0x5595_52fb_4afa_1b10,
    0xed2e_ae35_c138_2144,
    0x2757_3b29_1169_b825,
];

/// Arguments are divided by `2^HALVINGS` before a Taylor sum: as many squarings afterwards cost as many bits.
const HALVINGS: i64 = 8;

impl<const N: usize> Real<N> {
    pub const PI: Self = Self::constant(&PI_WORDS, 2);
    pub const HALF_PI: Self = Self::constant(&PI_WORDS, 1);
    pub const LN_2: Self = Self::constant(&LN_2_WORDS, 0);

    /// Terms after which `x^n / (n+1)!` is below the last place, for `x < 2^-HALVINGS`.
    const TERMS: usize = {
        let mut bits = 0;
        let mut n = 1;
        while bits < Self::BITS {
            n += 1;
            bits += HALVINGS + (n as u64).ilog2() as i64;
        }
        n
    };

    /// `e^self`, for `|self| < 2^40`.
    pub fn exp(self) -> Self {
        debug_assert!(self.exponent() <= 40);
        let mut whole = (self.to_f64() / std::f64::consts::LN_2).floor() as i64;
        let mut rest = self.sub(Self::LN_2.mul(Self::integer(whole)));
        if rest.is_negative() {
            // The quotient was rounded up to an integer.
            whole -= 1;
            rest = rest.add(Self::LN_2);
        }
        let rest = rest.scale(-HALVINGS);
        let x = rest.fraction();
        // (e^x - 1)/x = 1 + x/2! + x²/3! + …
        let mut sum = [0; N];
        for n in (1..=Self::TERMS).rev() {
            sum = add(&inverse_factorial(n), &product(&x, &sum).0);
        }
        let sum = Self::from_fraction(product(&x, &sum).0);
        let mut result = Self::ONE.add(rest.add(rest.mul(sum)));
        for _ in 0..HALVINGS {
            result = result.square();
        }
        result.scale(whole)
    }

    /// The natural logarithm of a positive number.
    pub fn ln(self) -> Self {
        debug_assert!(!self.is_negative() && !self.is_zero());
        // self = m · 2^power with m around one, so that the two parts of the result never cancel.
        let mut power = self.exponent();
        let mut m = self.scale(-power);
        if m.to_f64() < std::f64::consts::FRAC_1_SQRT_2 {
            m = m.scale(1);
            power -= 1;
        }
        let near = m.sub(Self::ONE);
        let part = if near.exponent() < -12 {
            near.div(m.add(Self::ONE)).twice_artanh()
        } else {
            // From 50 good bits: ln m = y + ln(m·e^-y), the last logarithm that of a number next to one.
            let y = Self::from_f64(m.to_f64().ln());
            let quotient = m.mul(y.neg().exp());
            y.add(quotient.sub(Self::ONE).div(quotient.add(Self::ONE)).twice_artanh())
        };
        Self::LN_2.mul(Self::integer(power)).add(part)
    }

    /// `2·artanh(self) = ln((1+self)/(1-self))`, for small arguments: the series takes `BITS / exponent` terms.
    fn twice_artanh(self) -> Self {
        self.odd_series(|n| Self::ONE.div(Self::integer(n))).scale(1)
    }

    /// `Σ coefficient(n) · self^n` over odd `n`, for small arguments.
    fn odd_series(self, coefficient: impl Fn(i64) -> Self) -> Self {
        let square = self.square();
        let mut power = self;
        let mut sum = self;
        let mut n = 3;
        loop {
            power = power.mul(square);
            if power.is_zero() || power.exponent() < sum.exponent() - Self::BITS - 1 {
                return sum;
            }
            sum = sum.add(power.mul(coefficient(n)));
            n += 2;
        }
    }

    /// Sine and cosine, for `|self| < 2^60`.
    pub fn sin_cos(self) -> (Self, Self) {
        debug_assert!(self.exponent() <= 60);
        let (mut quarters, mut rest) = (0, self);
        if self.exponent() >= 0 {
            // The nearest multiple of π/2 but for rounding, which only makes the rest a little larger than π/4.
            let nearest = self.div(Self::HALF_PI).add(if self.is_negative() { Self::HALF.neg() } else { Self::HALF });
            quarters = nearest.truncate();
            rest = self.sub(Self::HALF_PI.mul(Self::integer(quarters)));
        }
        let (sin, cos) = rest.small_sin_cos();
        match quarters.rem_euclid(4) {
            0 => (sin, cos),
            1 => (cos, sin.neg()),
            2 => (sin.neg(), cos.neg()),
            _ => (cos.neg(), sin),
        }
    }

    /// The integer part of a number below `2^63`.
    fn truncate(self) -> i64 {
        let magnitude = self.abs().scale(-64).fraction()[N - 1] as i64;
        if self.is_negative() { -magnitude } else { magnitude }
    }

    /// Sine and cosine, for `|self| < 1`.
    fn small_sin_cos(self) -> (Self, Self) {
        let rest = self.scale(-HALVINGS);
        let square = rest.square().fraction();
        // sin x / x = 1 - x²(1/3! - x²(1/5! - …)), cos x = 1 - x²(1/2! - x²(1/4! - …)).
        let (mut sin, mut cos) = ([0; N], [0; N]);
        for n in (1..=Self::TERMS / 2 + 1).rev() {
            sin = sub(&inverse_factorial(2 * n), &product(&square, &sin).0);
            cos = sub(&inverse_factorial(2 * n - 1), &product(&square, &cos).0);
        }
        let series = |sum: [u64; N]| Self::ONE.sub(Self::from_fraction(product(&square, &sum).0));
        let (mut sin, mut cos) = (rest.mul(series(sin)), series(cos));
        for _ in 0..HALVINGS {
            (sin, cos) = (sin.mul(cos).scale(1), Self::ONE.sub(sin.square().scale(1)));
        }
        (sin, cos)
    }

    /// The arc tangent.
    pub fn atan(self) -> Self {
        if self.exponent() > 1 {
            let rest = Self::ONE.div(self).atan();
            return if self.is_negative() { Self::HALF_PI.neg() } else { Self::HALF_PI }.sub(rest);
        }
        if self.exponent() < -12 {
            return self.atan_series();
        }
        // From 50 good bits: atan x = y + atan((x cos y - sin y)/(cos y + x sin y)).
        let y = Self::from_f64(self.to_f64().atan());
        let (sin, cos) = y.sin_cos();
        let rest = self.mul(cos).sub(sin).div(cos.add(self.mul(sin)));
        y.add(rest.atan_series())
    }

    fn atan_series(self) -> Self {
        self.odd_series(|n| Self::ONE.div(Self::integer(if n % 4 == 3 { -n } else { n })))
    }

    /// The angle of the point `(x, self)` in (-π, π]; not both are zero.
    pub fn atan2(self, x: Self) -> Self {
        if self.is_zero() {
            return if x.is_negative() { Self::PI } else { Self::ZERO };
        }
        let quarter = if self.is_negative() { Self::HALF_PI.neg() } else { Self::HALF_PI };
        if self.compare_abs(&x).is_ge() {
            return quarter.sub(x.div(self).atan());
        }
        let angle = self.div(x).atan();
        if x.is_negative() { quarter.scale(1).add(angle) } else { angle }
    }

    /// Hyperbolic sine and cosine, for `|self| < 2^40`.
    pub fn sinh_cosh(self) -> (Self, Self) {
        let exp = self.exp();
        let inverse = Self::ONE.div(exp);
        let cosh = exp.add(inverse).scale(-1);
        if self.exponent() < -2 {
            // The difference would cancel: sinh x = x + x³/3! + …
            let square = self.square();
            let (mut term, mut sum, mut n) = (self, self, 2);
            while term.exponent() >= sum.exponent() - Self::BITS && !term.is_zero() {
                term = term.mul(square).div(Self::integer(n * (n + 1)));
                sum = sum.add(term);
                n += 2;
            }
            return (sum, cosh);
        }
        (exp.sub(inverse).scale(-1), cosh)
    }
}

fn add<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut carry = false;
    std::array::from_fn(|i| {
        let (sum, next) = add_carry(a[i], b[i], carry);
        carry = next;
        sum
    })
}

fn sub<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut borrow = false;
    std::array::from_fn(|i| {
        let (difference, next) = sub_borrow(a[i], b[i], borrow);
        borrow = next;
        difference
    })
}
