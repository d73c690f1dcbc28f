//! Binary floating point of `N` words, on the stack: 4 words carry 192 bits with a guard word, 7 words 384.
//!
//! Results are cut off, not rounded: an operation is off by at most one unit in the last place, and the guard word absorbs what
//! a verdict's few hundred operations add up to. There is no infinity and no not-a-number: callers keep zero out of divisors and
//! negative numbers out of roots, and [`Real::exponent`] lets them stop before exponents run away.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

use super::words::{MOST, add_carry, product, quotient, shift_down, sub_borrow};
use crate::algebra::number::{Rational, scale_by_two};

/// `± 0.words · 2^exponent`; the top bit of the last word is set, or all are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Real<const N: usize> {
    negative: bool,
    exponent: i64,
    /// Least significant first.
    words: [u64; N],
}

impl<const N: usize> Real<N> {
    pub const BITS: i64 = 64 * N as i64;
    pub const ZERO: Self = Self { negative: false, exponent: 0, words: [0; N] };
    pub const ONE: Self = Self::power_of_two(0);
    pub const HALF: Self = Self::power_of_two(-1);

    /// `2^power`.
    pub const fn power_of_two(power: i64) -> Self {
        let mut words = [0; N];
        words[N - 1] = 1 << 63;
        Self { negative: false, exponent: power + 1, words }
    }

    /// `0.words · 2^exponent`, the most significant word first and its top bit set.
    pub const fn constant(most_significant: &[u64; MOST], exponent: i64) -> Self {
        let mut words = [0; N];
        let mut i = 0;
        while i < N {
            words[N - 1 - i] = most_significant[i];
            i += 1;
        }
        Self { negative: false, exponent, words }
    }

    pub fn integer(value: i64) -> Self {
        let mut words = [0; N];
        words[0] = value.unsigned_abs();
        Self::normal(value < 0, Self::BITS, words, 0)
    }

    /// A finite double, exactly.
    pub fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let biased = (bits >> 52 & 0x7ff) as i64;
        let fraction = bits & ((1 << 52) - 1);
        let mut words = [0; N];
        words[0] = if biased == 0 { fraction } else { fraction | 1 << 52 };
        Self::normal(value < 0.0, biased.max(1) - 1075 + Self::BITS, words, 0)
    }

    pub fn rational(value: &Rational) -> Self {
        match value.to_small() {
            Some((numerator, 1)) => Self::integer(numerator),
            Some((numerator, denominator)) => Self::integer(numerator).div(Self::integer(denominator)),
            None => Self::big(&value.numerator()).div(Self::big(&value.denominator())),
        }
    }

    /// An integer, cut off to the words there are.
    pub fn big(value: &BigInt) -> Self {
        let digits = value.magnitude().to_u64_digits();
        let mut words = [0; N];
        let kept = digits.len().min(N);
        words[..kept].copy_from_slice(&digits[digits.len() - kept..]);
        let below = if digits.len() > N { digits[digits.len() - N - 1] } else { 0 };
        Self::normal(value.sign() == Sign::Minus, 64 * (digits.len() - kept) as i64 + Self::BITS, words, below)
    }

    /// `words` with `below` as the word under the last place, shifted up until the top bit is set.
    fn normal(negative: bool, exponent: i64, words: [u64; N], below: u64) -> Self {
        let Some(top) = (0..N).rev().find(|&i| words[i] != 0) else {
            if below == 0 {
                return Self::ZERO;
            }
            let zeros = below.leading_zeros();
            let mut words = [0; N];
            words[N - 1] = below << zeros;
            return Self { negative, exponent: exponent - Self::BITS - i64::from(zeros), words };
        };
        let zeros = words[top].leading_zeros();
        let empty = N - 1 - top;
        if zeros == 0 && empty == 0 {
            return Self { negative, exponent, words };
        }
        // Index i of the extended number, in which `below` is index 0.
        let at = |i: usize| if i == 0 { below } else { words[i - 1] };
        let mut shifted = [0; N];
        for i in (empty..N).rev() {
            let low = i - empty;
            shifted[i] = if zeros == 0 { words[low] } else { words[low] << zeros | at(low) >> (64 - zeros) };
        }
        if empty > 0 {
            shifted[empty - 1] = below << zeros;
        }
        Self { negative, exponent: exponent - 64 * empty as i64 - i64::from(zeros), words: shifted }
    }

    /// The value in fewer words.
    pub fn narrow<const M: usize>(self) -> Real<M> {
        let words = std::array::from_fn(|i| self.words[N - M + i]);
        Real { negative: self.negative, exponent: self.exponent, words }
    }

    pub fn is_zero(&self) -> bool {
        self.words[N - 1] == 0
    }

    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// `e` with `2^(e-1) ≤ |self| < 2^e`; far below every other exponent for zero.
    pub fn exponent(&self) -> i64 {
        if self.is_zero() { i64::MIN / 4 } else { self.exponent }
    }

    pub fn neg(self) -> Self {
        Self { negative: !self.negative && !self.is_zero(), ..self }
    }

    pub fn abs(self) -> Self {
        Self { negative: false, ..self }
    }

    /// `self · 2^power`.
    pub fn scale(self, power: i64) -> Self {
        if self.is_zero() { self } else { Self { exponent: self.exponent + power, ..self } }
    }

    pub fn compare_abs(&self, other: &Self) -> Ordering {
        let words = || self.words.iter().rev().cmp(other.words.iter().rev());
        self.exponent().cmp(&other.exponent()).then_with(words)
    }

    pub fn compare(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_abs(other),
            (true, true) => other.compare_abs(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    pub fn add(self, other: Self) -> Self {
        let (a, b) = if self.compare_abs(&other) == Ordering::Less { (other, self) } else { (self, other) };
        let distance = a.exponent() - b.exponent();
        if b.is_zero() || distance > Self::BITS + 64 {
            return a;
        }
        let (shifted, below) = shift_down(&b.words, distance as usize);
        let mut words = a.words;
        if a.negative == b.negative {
            let mut carry = false;
            for (word, other) in words.iter_mut().zip(shifted) {
                (*word, carry) = add_carry(*word, other, carry);
            }
            if !carry {
                return Self { words, ..a };
            }
            let (mut words, _) = shift_down(&words, 1);
            words[N - 1] |= 1 << 63;
            return Self { negative: a.negative, exponent: a.exponent + 1, words };
        }
        // The word below the last place keeps a difference of neighbours exact.
        let mut borrow = below > 0;
        for (word, other) in words.iter_mut().zip(shifted) {
            (*word, borrow) = sub_borrow(*word, other, borrow);
        }
        Self::normal(a.negative, a.exponent, words, below.wrapping_neg())
    }

    pub fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    pub fn mul(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::ZERO;
        }
        let (words, below) = product(&self.words, &other.words);
        Self::normal(self.negative != other.negative, self.exponent + other.exponent, words, below)
    }

    pub fn square(self) -> Self {
        self.mul(self)
    }

    /// `self / other`; `other` is not zero.
    pub fn div(self, other: Self) -> Self {
        debug_assert!(!other.is_zero());
        if self.is_zero() {
            return Self::ZERO;
        }
        // A dividend below the divisor gives a quotient of exactly N words with its top bit set.
        let halve = self.words.iter().rev().ge(other.words.iter().rev());
        let (high, low) = if halve { shift_down(&self.words, 1) } else { (self.words, 0) };
        let words = quotient(&high, low, &other.words);
        let exponent = self.exponent - other.exponent + i64::from(halve);
        Self { negative: self.negative != other.negative, exponent, words }
    }

    /// The root of a number that is not negative.
    pub fn sqrt(self) -> Self {
        if self.is_zero() {
            return Self::ZERO;
        }
        let half = self.exponent.div_euclid(2);
        let m = Self { negative: false, exponent: self.exponent.rem_euclid(2), ..self };
        // Newton for 1/sqrt(m) from 50 good bits, doubled each time.
        let mut y = Self::from_f64(1.0 / m.to_f64().sqrt());
        let mut good = 50;
        while good < Self::BITS {
            let error = Self::ONE.sub(m.mul(y.square()));
            y = y.add(y.mul(error).scale(-1));
            good *= 2;
        }
        let root = m.mul(y);
        let correction = m.sub(root.square()).mul(y).scale(-1);
        root.add(correction).scale(half)
    }

    /// The nearest double; infinite or zero beyond its range.
    pub fn to_f64(self) -> f64 {
        // The last bit stands for everything cut off, so that the conversion rounds like the value.
        let sticky = u64::from(self.words[..N - 1].iter().any(|&word| word != 0));
        let magnitude = scale_by_two((self.words[N - 1] | sticky) as f64, self.exponent - 64);
        if self.negative { -magnitude } else { magnitude }
    }

    /// The fraction as fixed point, `Σ words[i] · 2^(64(i-N))`, for `0 ≤ self < 1`.
    pub fn fraction(&self) -> [u64; N] {
        shift_down(&self.words, usize::try_from(-self.exponent()).unwrap_or(0)).0
    }

    /// The value of a fixed-point fraction.
    pub fn from_fraction(words: [u64; N]) -> Self {
        Self::normal(false, 0, words, 0)
    }

    /// The greatest integer not above the value; `None` beyond `Self::BITS` bits, where the last bits are unknown.
    pub fn floor(&self) -> Option<BigInt> {
        if self.exponent() > Self::BITS {
            return None;
        }
        let (words, below) =
            shift_down(&self.words, usize::try_from(Self::BITS - self.exponent()).unwrap_or(usize::MAX));
        let digits = words.iter().flat_map(|&word| [word as u32, (word >> 32) as u32]).collect();
        let magnitude = BigInt::from(BigUint::new(digits));
        let whole = below == 0 && Self::big(&magnitude) == self.abs();
        Some(match (self.negative, whole) {
            (false, _) => magnitude,
            (true, true) => -magnitude,
            (true, false) => -magnitude - 1,
        })
    }

    /// The value as an integer of 64 bits, if it is one.
    pub fn to_i64(self) -> Option<i64> {
        if self.is_zero() {
            return Some(0);
        }
        if !(1..=63).contains(&self.exponent) || self.words[..N - 1].iter().any(|&word| word != 0) {
            return None;
        }
        let shift = 64 - self.exponent as u32;
        let magnitude = (self.words[N - 1] >> shift) as i64;
        (self.words[N - 1].trailing_zeros() >= shift).then_some(if self.negative { -magnitude } else { magnitude })
    }
}
