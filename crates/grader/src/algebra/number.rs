//! Exact rationals of bounded size. Every operation charges its steps and asks for the size of its result before it starts;
//! numbers that fit two words, nearly all of them, never touch the heap.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;

use crate::{Budget, Refusal, budget::cost};

/// `numerator / denominator` in lowest terms, the denominator positive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rational(Repr);

/// One value has one representation: `Small` whenever both parts fit, so that derived equality is equality of values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// `numerator > i64::MIN`, so that it can be negated.
    Small(i64, i64),
    Big(Box<(BigInt, BigInt)>),
}

impl Rational {
    pub const ZERO: Self = Self(Repr::Small(0, 1));
    pub const ONE: Self = Self(Repr::Small(1, 1));
    pub const MINUS_ONE: Self = Self(Repr::Small(-1, 1));

    /// `numerator / denominator`. `None` for a zero denominator.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        (denominator != 0).then(|| Self::reduced(numerator.into(), denominator.into()))
    }

    /// The integer `value`.
    pub fn integer(value: i64) -> Self {
        Self::reduced(value.into(), 1)
    }

    /// The integer `value`, whose size was asked for where it was made.
    pub fn from_big(value: BigInt) -> Self {
        match small(&value) {
            Some(value) => Self(Repr::Small(value, 1)),
            None => Self(Repr::Big(Box::new((value, BigInt::from(1))))),
        }
    }

    /// A finite double, exactly. `None` for infinities and not-a-number.
    pub fn from_f64(value: f64, budget: &mut Budget) -> Result<Option<Self>, Refusal> {
        if !value.is_finite() {
            return Ok(None);
        }
        let bits = value.to_bits();
        let biased = (bits >> 52 & 0x7ff) as i64;
        let fraction = (bits & ((1 << 52) - 1)) as i64;
        let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
        let mantissa = Self::integer(if value < 0.0 { -mantissa } else { mantissa });
        let scale = Self::integer(2).power(exponent, budget)?;
        scale.map(|scale| mantissa.mul(&scale, budget)).transpose()
    }

    /// An unsigned integer or decimal with an optional exponent, `12`, `1.50`, `.5`, `3.`, `2.5e-3`; ASCII digits only.
    /// `None` if the text is anything else.
    pub fn parse(text: &str, budget: &mut Budget) -> Result<Option<Self>, Refusal> {
        // A digit is worth more than three bits; the size is asked for before the text is read.
        budget.step(cost::ALLOCATION + text.len() / cost::BYTES)?;
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(&digits) || !plain(exponent_digits) {
            return Ok(None);
        }
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Some(Self::ZERO));
        }
        budget.bits(digits.len().saturating_mul(3))?;
        budget.step(digits.len())?;
        let value = match digits.parse::<i64>() {
            Ok(value) => Self::integer(value),
            Err(_) => {
                budget.step(cost::BIG + digits.len() * digits.len() / 256)?;
                Self::from_big(BigInt::parse_bytes(digits.as_bytes(), 10).unwrap_or(BigInt::ZERO))
            }
        };
        budget.bits(value.bits())?;
        let exponent: i64 = exponent.parse().map_err(|_| Refusal::Big)?;
        let exponent = exponent.saturating_sub(i64::try_from(fraction.len()).map_err(|_| Refusal::Size)?);
        let Some(scale) = Self::integer(10).power(exponent, budget)? else { return Ok(None) };
        value.mul(&scale, budget).map(Some)
    }

    fn reduced(numerator: i128, denominator: i128) -> Self {
        // Both are below 2^127.
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
        let divisor = if denominator < 0 { -divisor } else { divisor };
        let (numerator, denominator) = (numerator / divisor, denominator / divisor);
        match (narrow(numerator), narrow(denominator)) {
            (Some(numerator), Some(denominator)) => Self(Repr::Small(numerator, denominator)),
            _ => Self(Repr::Big(Box::new((numerator.into(), denominator.into())))),
        }
    }

    /// From parts without a common divisor, the denominator positive.
    fn from_reduced(numerator: BigInt, denominator: BigInt) -> Self {
        match (small(&numerator), small(&denominator)) {
            (Some(numerator), Some(denominator)) => Self(Repr::Small(numerator, denominator)),
            _ => Self(Repr::Big(Box::new((numerator, denominator)))),
        }
    }

    pub fn numerator(&self) -> BigInt {
        match &self.0 {
            Repr::Small(numerator, _) => BigInt::from(*numerator),
            Repr::Big(parts) => parts.0.clone(),
        }
    }

    pub fn denominator(&self) -> BigInt {
        match &self.0 {
            Repr::Small(_, denominator) => BigInt::from(*denominator),
            Repr::Big(parts) => parts.1.clone(),
        }
    }

    /// Numerator and denominator if both fit 64 bits.
    pub fn to_small(&self) -> Option<(i64, i64)> {
        match self.0 {
            Repr::Small(numerator, denominator) => Some((numerator, denominator)),
            Repr::Big(_) => None,
        }
    }

    /// The value as an integer of 64 bits. `None` for fractions and larger integers.
    pub fn to_i64(&self) -> Option<i64> {
        self.to_small().filter(|&(_, denominator)| denominator == 1).map(|(numerator, _)| numerator)
    }

    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    pub fn is_one(&self) -> bool {
        *self == Self::ONE
    }

    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small(numerator, _) => *numerator < 0,
            Repr::Big(parts) => parts.0.sign() == Sign::Minus,
        }
    }

    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Small(_, denominator) => *denominator == 1,
            Repr::Big(parts) => parts.1 == BigInt::from(1),
        }
    }

    /// Bits of the larger part.
    pub fn bits(&self) -> usize {
        match &self.0 {
            Repr::Small(numerator, denominator) => {
                64 - (numerator.unsigned_abs() | denominator.unsigned_abs()).leading_zeros() as usize
            }
            Repr::Big(parts) => bits(&parts.0).max(bits(&parts.1)),
        }
    }

    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Small(numerator, denominator) => Self(Repr::Small(-numerator, *denominator)),
            Repr::Big(parts) => Self(Repr::Big(Box::new((-&parts.0, parts.1.clone())))),
        }
    }

    pub fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// `1 / self`. `None` for zero.
    pub fn recip(&self) -> Option<Self> {
        match &self.0 {
            Repr::Small(0, _) => None,
            Repr::Small(numerator, denominator) => {
                Some(Self(Repr::Small(denominator * numerator.signum(), numerator.abs())))
            }
            Repr::Big(parts) if self.is_negative() => Some(Self(Repr::Big(Box::new((-&parts.1, -&parts.0))))),
            Repr::Big(parts) => Some(Self(Repr::Big(Box::new((parts.1.clone(), parts.0.clone()))))),
        }
    }

    pub fn add(&self, other: &Self, budget: &mut Budget) -> Result<Self, Refusal> {
        budget.step(2)?;
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            // Below 2^127: all parts are below 2^63.
            let [a, b, c, d] = [*a, *b, *c, *d].map(i128::from);
            let (numerator, denominator) = if b == d { (a + c, b) } else { (a * d + c * b, b * d) };
            budget.step(reduction(numerator, denominator))?;
            return Ok(Self::reduced(numerator, denominator));
        }
        let ((a, mut b), (c, mut d)) = (self.parts(), other.parts());
        budget.step(cost::BIG + 4 * self.words() * other.words())?;
        // Only what both denominators share can divide the sum (Knuth, The Art of Computer Programming 2, 4.5.1).
        let shared = gcd_big(&b, &d, budget)?;
        if !is_one(&shared) {
            b /= &shared;
            d /= &shared;
        }
        budget.bits((bits(&a) + bits(&d)).max(bits(&c) + bits(&b)).max(bits(&b) + bits(&d) + bits(&shared)) - 1)?;
        let numerator = a * &d + c * &b;
        if is_one(&shared) {
            return Ok(Self::from_reduced(numerator, b * d));
        }
        let divisor = gcd_big(&numerator, &shared, budget)?;
        Ok(Self::from_reduced(numerator / &divisor, b * d * (shared / divisor)))
    }

    pub fn sub(&self, other: &Self, budget: &mut Budget) -> Result<Self, Refusal> {
        self.add(&other.neg(), budget)
    }

    pub fn mul(&self, other: &Self, budget: &mut Budget) -> Result<Self, Refusal> {
        budget.step(2)?;
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            let [a, b, c, d] = [*a, *b, *c, *d].map(i128::from);
            budget.step(reduction(a * c, b * d))?;
            return Ok(Self::reduced(a * c, b * d));
        }
        let ((mut a, mut b), (mut c, mut d)) = (self.parts(), other.parts());
        budget.step(cost::BIG + 2 * self.words() * other.words())?;
        for (numerator, denominator) in [(&mut a, &mut d), (&mut c, &mut b)] {
            let divisor = gcd_big(numerator, denominator, budget)?;
            if !is_one(&divisor) {
                *numerator /= &divisor;
                *denominator /= divisor;
            }
        }
        // A product has at least one bit less than its factors together.
        budget.bits((bits(&a) + bits(&c)).max(bits(&b) + bits(&d)) - 1)?;
        Ok(Self::from_reduced(a * c, b * d))
    }

    /// `self / other`. `Ok(None)` for a zero divisor.
    pub fn div(&self, other: &Self, budget: &mut Budget) -> Result<Option<Self>, Refusal> {
        other.recip().map(|inverse| self.mul(&inverse, budget)).transpose()
    }

    /// `self ^ exponent`, with `0^0 = 1`. `Ok(None)` for zero to a negative exponent.
    pub fn power(&self, exponent: i64, budget: &mut Budget) -> Result<Option<Self>, Refusal> {
        budget.step(1)?;
        let base = if exponent < 0 { self.recip() } else { Some(self.clone()) };
        let Some(base) = base else { return Ok(None) };
        let left = exponent.unsigned_abs();
        if base.bits() <= 1 {
            // Only 0, 1 and -1 have parts of one bit; any exponent is cheap.
            let odd = left % 2 == 1;
            return Ok(Some(if left == 0 || (base == Self::MINUS_ONE && !odd) { Self::ONE } else { base }));
        }
        // 2^(b-1) ≤ part, so the result has at least (b-1) · exponent + 1 bits.
        budget.bits(usize::try_from(left).map_err(|_| Refusal::Big)?.saturating_mul(base.bits() - 1))?;
        // Powers of numbers without a common divisor have none either.
        budget.step(cost::BIG)?;
        let (numerator, denominator) = base.parts();
        let (numerator, denominator) = (power(numerator, left, budget)?, power(denominator, left, budget)?);
        Ok(Some(Self::from_reduced(numerator, denominator)))
    }

    /// Order of the values.
    pub fn compare(&self, other: &Self, budget: &mut Budget) -> Result<Ordering, Refusal> {
        budget.step(1)?;
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            let [a, b, c, d] = [*a, *b, *c, *d].map(i128::from);
            return Ok((a * d).cmp(&(c * b)));
        }
        budget.step(cost::BIG + 2 * self.words() * other.words())?;
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        Ok((a * d).cmp(&(c * b)))
    }

    /// The greatest integer not above the value.
    pub fn floor(&self, budget: &mut Budget) -> Result<Self, Refusal> {
        budget.step(1)?;
        if let Repr::Small(numerator, denominator) = self.0 {
            return Ok(Self::integer(numerator.div_euclid(denominator)));
        }
        budget.step(cost::BIG + self.words() * self.words())?;
        let (numerator, denominator) = self.parts();
        Ok(Self::from_big(numerator.div_floor(&denominator)))
    }

    /// The value rounded to `digits` decimals, halves to the even neighbour.
    pub fn round(&self, digits: u32, budget: &mut Budget) -> Result<Self, Refusal> {
        let half = Self(Repr::Small(1, 2));
        let Some(scale) = Self::integer(10).power(digits.into(), budget)? else { return Ok(self.clone()) };
        let scaled = self.mul(&scale, budget)?;
        let shifted = scaled.add(&half, budget)?;
        let mut rounded = shifted.floor(budget)?;
        if shifted == rounded && rounded.is_odd_integer() {
            rounded = rounded.sub(&Self::ONE, budget)?;
        }
        Ok(rounded.div(&scale, budget)?.unwrap_or(rounded))
    }

    /// The nearest double, halves to even; infinite or zero beyond its range.
    pub fn to_f64(&self) -> f64 {
        const EXACT: u64 = 1 << 53;
        if let Repr::Small(numerator, denominator) = self.0
            && (denominator == 1 || numerator.unsigned_abs().max(denominator.unsigned_abs()) <= EXACT)
        {
            // Both parts are doubles, or the only rounding is that of the conversion.
            return numerator as f64 / denominator as f64;
        }
        let (numerator, denominator) = self.parts();
        let (negative, numerator) = (numerator.sign() == Sign::Minus, numerator.magnitude().clone());
        let denominator = denominator.magnitude().clone();
        // A quotient of 66 or 67 bits, with a last bit that says whether anything was cut off, rounds like the value.
        let shift = 66 + denominator.bits() as i64 - numerator.bits() as i64;
        let (scaled, divisor) =
            if shift >= 0 { (numerator << shift, denominator) } else { (numerator, denominator << -shift) };
        let (quotient, remainder) = scaled.div_rem(&divisor);
        let sticky = u128::from(remainder.bits() > 0);
        let quotient = u128::try_from(quotient).unwrap_or(u128::MAX) | sticky;
        let magnitude = scale_by_two(quotient as f64, -shift);
        if negative { -magnitude } else { magnitude }
    }

    fn is_odd_integer(&self) -> bool {
        self.is_integer() && self.numerator().is_odd()
    }

    fn parts(&self) -> (BigInt, BigInt) {
        (self.numerator(), self.denominator())
    }

    fn words(&self) -> usize {
        1 + self.bits() / 64
    }
}

/// `value · 2^exponent`.
pub(crate) fn scale_by_two(mut value: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-3000, 3000);
    while left != 0 {
        // 2^±1000 is a normal double, so that only the last step can leave the normal range.
        let step = left.clamp(-1000, 1000);
        value *= f64::from_bits(((1023 + step) as u64) << 52);
        left -= step;
    }
    value
}

/// `base ^ exponent`, by squaring.
fn power(mut base: BigInt, exponent: u64, budget: &mut Budget) -> Result<BigInt, Refusal> {
    let multiply = |a: &BigInt, b: &BigInt, budget: &mut Budget| {
        budget.bits((bits(a) + bits(b)).saturating_sub(1))?;
        budget.step(cost::ALLOCATION + words(a) * words(b) / 2)?;
        Ok(a * b)
    };
    let mut result = BigInt::from(1);
    let mut left = exponent;
    loop {
        if left & 1 == 1 {
            result = multiply(&result, &base, budget)?;
        }
        left >>= 1;
        if left == 0 {
            budget.bits(bits(&result))?;
            return Ok(result);
        }
        base = multiply(&base, &base, budget)?;
    }
}

fn narrow(value: i128) -> Option<i64> {
    i64::try_from(value).ok().filter(|&value| value != i64::MIN)
}

fn small(value: &BigInt) -> Option<i64> {
    i64::try_from(value).ok().filter(|&value| value != i64::MIN)
}

fn bits(value: &BigInt) -> usize {
    value.bits() as usize
}

fn words(value: &BigInt) -> usize {
    1 + bits(value) / 64
}

fn is_one(value: &BigInt) -> bool {
    bits(value) == 1
}

/// Greatest common divisor; of zero and zero, one, so that it can always be divided by.
fn gcd(a: u128, b: u128) -> u128 {
    if a == 1 || b == 1 {
        return 1;
    }
    match (u64::try_from(a), u64::try_from(b)) {
        // Half the words are a third of the time.
        (Ok(a), Ok(b)) => num_integer::gcd(a, b).max(1).into(),
        _ => num_integer::gcd(a, b).max(1),
    }
}

/// What [`gcd`] is charged: it takes about as many rounds as there are bits.
fn reduction(numerator: i128, denominator: i128) -> usize {
    let bits = |part: i128| 128 - part.unsigned_abs().leading_zeros() as usize;
    let (most, least) = (bits(numerator).max(bits(denominator)), bits(numerator).min(bits(denominator)));
    match (least, most) {
        (0..=1, _) => 0,
        (_, 0..=64) => (least + most) / 4,
        _ => least + most,
    }
}

/// The greatest common divisor of integers, not both zero; positive.
fn gcd_big(a: &BigInt, b: &BigInt, budget: &mut Budget) -> Result<BigInt, Refusal> {
    let (mut more, mut less) = (a.magnitude().clone(), b.magnitude().clone());
    if more < less {
        std::mem::swap(&mut more, &mut less);
    }
    // Rounds of a bit each follow, so what is much longer is cut down first.
    while more.bits() > less.bits() + 64 && less.bits() > 1 {
        budget.step(cost::ALLOCATION + (more.bits() * less.bits() / 2048) as usize)?;
        more %= &less;
        std::mem::swap(&mut more, &mut less);
    }
    match less.bits() {
        0 => return Ok(more.into()),
        1 => return Ok(BigInt::from(1)),
        _ => {}
    }
    let words = 1 + more.bits() as usize / 64;
    // A bit goes in every round, which is two steps, and one more for every twenty words.
    budget.step((more.bits() + less.bits()) as usize * (40 + words) / 20)?;
    Ok(BigUint::gcd(&more, &less).into())
}
