//! Complex arithmetic on [`Real`], principal branches, and the record of how much accuracy cancelled.

use std::cmp::Ordering;

use super::real::Real;
use crate::algebra::Stop;
use crate::{Budget, Refusal};

/// What real functions cost, in multiplications.
pub(super) const DIVISION: usize = 4;
pub(super) const ROOT: usize = 32;
pub(super) const EXP: usize = 50;
pub(super) const LN: usize = 80;
pub(super) const SIN_COS: usize = 70;
pub(super) const ARCTAN: usize = 110;
pub(super) const SINH_COSH: usize = 60;
/// Of a number near zero.
pub(super) const SINH_COSH_SERIES: usize = 200;
/// The same of complex numbers.
pub(super) const PRODUCT: usize = 5;
pub(super) const QUOTIENT: usize = 15;
pub(super) const COMPLEX_ROOT: usize = 70;

/// The budget of an evaluation, and the most bits that one of its sums lost.
pub(super) struct Context<'a> {
    pub budget: &'a mut Budget,
    pub lost: i64,
}

impl Context<'_> {
    /// Charges work worth `multiplications` of real numbers of `N` words.
    pub fn charge<const N: usize>(&mut self, multiplications: usize) -> Result<(), Refusal> {
        self.budget.step(4 + multiplications * N * (N + 4) / 6)
    }

    /// `result`, which came from parts below `2^exponent`. What cancelled down to the guard word is rounding, not value: zero.
    pub fn cancelled<const N: usize>(&mut self, exponent: i64, result: Complex<N>) -> Complex<N> {
        let lost = (exponent - result.exponent()).min(Real::<N>::BITS);
        self.lost = self.lost.max(lost);
        if lost > Real::<N>::BITS - 64 { Complex::ZERO } else { result }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Complex<const N: usize> {
    pub re: Real<N>,
    pub im: Real<N>,
}

impl<const N: usize> Complex<N> {
    pub const ZERO: Self = Self::real(Real::ZERO);
    pub const ONE: Self = Self::real(Real::ONE);
    pub const I: Self = Self { re: Real::ZERO, im: Real::ONE };

    pub const fn real(re: Real<N>) -> Self {
        Self { re, im: Real::ZERO }
    }

    /// The value in fewer words.
    pub fn narrow<const M: usize>(self) -> Complex<M> {
        Complex { re: self.re.narrow(), im: self.im.narrow() }
    }

    pub fn is_zero(&self) -> bool {
        self.re.is_zero() && self.im.is_zero()
    }

    pub fn is_real(&self) -> bool {
        self.im.is_zero()
    }

    /// Both parts are below two to this power.
    pub fn exponent(&self) -> i64 {
        self.re.exponent().max(self.im.exponent())
    }

    pub fn neg(self) -> Self {
        Self { re: self.re.neg(), im: self.im.neg() }
    }

    /// The sum, without a record of cancellation.
    pub fn plus(self, other: Self) -> Self {
        Self { re: self.re.add(other.re), im: self.im.add(other.im) }
    }

    pub(super) fn add(self, other: Self, context: &mut Context) -> Self {
        context.cancelled(self.exponent().max(other.exponent()), self.plus(other))
    }

    pub(super) fn sub(self, other: Self, context: &mut Context) -> Self {
        self.add(other.neg(), context)
    }

    pub fn mul(self, other: Self) -> Self {
        match (self.is_real(), other.is_real()) {
            (true, true) => Self::real(self.re.mul(other.re)),
            (true, false) => Self { re: self.re.mul(other.re), im: self.re.mul(other.im) },
            (false, true) => other.mul(self),
            (false, false) => Self {
                re: self.re.mul(other.re).sub(self.im.mul(other.im)),
                im: self.re.mul(other.im).add(self.im.mul(other.re)),
            },
        }
    }

    pub fn times_i(self) -> Self {
        Self { re: self.im.neg(), im: self.re }
    }

    /// `self · 2^power`.
    pub fn scale(self, power: i64) -> Self {
        Self { re: self.re.scale(power), im: self.im.scale(power) }
    }

    pub fn recip(self) -> Result<Self, Stop> {
        if self.is_zero() {
            return Err(Stop::Undefined);
        }
        if self.is_real() {
            return Ok(Self::real(Real::ONE.div(self.re)));
        }
        let norm = self.norm();
        Ok(Self { re: self.re.div(norm), im: self.im.neg().div(norm) })
    }

    pub fn div(self, other: Self) -> Result<Self, Stop> {
        Ok(self.mul(other.recip()?))
    }

    fn norm(self) -> Real<N> {
        self.re.square().add(self.im.square())
    }

    pub fn abs(self) -> Real<N> {
        if self.is_real() { self.re.abs() } else { self.norm().sqrt() }
    }

    /// Drops a part so small beside the other that it can only be rounding, which would choose the side of a branch cut.
    pub fn on_axis(self) -> Self {
        let negligible = Real::<N>::BITS - 80;
        if self.im.exponent() < self.re.exponent() - negligible {
            Self::real(self.re)
        } else if self.re.exponent() < self.im.exponent() - negligible {
            Self { re: Real::ZERO, im: self.im }
        } else {
            self
        }
    }

    /// The integer that a real number is, give or take rounding.
    pub fn to_integer(self) -> Option<i64> {
        let z = self.on_axis();
        if !z.is_real() || z.re.exponent() > 62 {
            return None;
        }
        let nearest = i64::try_from(z.re.add(Real::HALF).floor()?).ok()?;
        let error = z.re.sub(Real::integer(nearest));
        (error.exponent() < -100).then_some(nearest)
    }

    /// The greatest integer not above a real number, which counts as an integer if it is one give or take rounding.
    pub fn floor(self) -> Result<Real<N>, Stop> {
        if let Some(integer) = self.to_integer() {
            return Ok(Real::integer(integer));
        }
        let z = self.on_axis();
        // Beyond, the digits before the point are not all known.
        if !z.is_real() || z.re.exponent() > Real::<N>::BITS - 128 {
            return Err(Stop::Undefined);
        }
        z.re.floor().map(|floor| Real::big(&floor)).ok_or(Stop::Undefined)
    }

    /// What [`Complex::sqrt`] costs, in multiplications.
    pub fn sqrt_cost(&self) -> usize {
        if self.is_real() { ROOT } else { COMPLEX_ROOT }
    }

    pub fn sqrt(self) -> Self {
        let z = self.on_axis();
        if z.is_real() {
            let root = z.re.abs().sqrt();
            return if z.re.is_negative() { Self { re: Real::ZERO, im: root } } else { Self::real(root) };
        }
        // The larger part first, so that nothing cancels; the other from their product, im/2.
        let larger = z.abs().add(z.re.abs()).scale(-1).sqrt();
        let smaller = z.im.abs().div(larger).scale(-1);
        let (re, im) = if z.re.is_negative() { (smaller, larger) } else { (larger, smaller) };
        Self { re, im: if z.im.is_negative() { im.neg() } else { im } }
    }

    /// `e^self`, with the real part within the limit for exponents.
    pub(super) fn exp(self, context: &mut Context) -> Result<Self, Stop> {
        context.limit_exponent(self.re)?;
        self.exp_unlimited(context)
    }

    fn exp_unlimited(self, context: &mut Context) -> Result<Self, Stop> {
        if self.re.exponent() > 30 {
            return Err(Refusal::Big.into());
        }
        context.charge::<N>(EXP)?;
        let radius = self.re.exp();
        if self.is_real() {
            return Ok(Self::real(radius));
        }
        let (sin, cos) = context.sin_cos(self.im)?;
        context.lost = context.lost.max(self.im.exponent());
        Ok(Self { re: radius.mul(cos), im: radius.mul(sin) })
    }

    pub(super) fn ln(self, context: &mut Context) -> Result<Self, Stop> {
        context.charge::<N>(if self.is_real() { LN } else { LN + ARCTAN })?;
        let z = self.on_axis();
        if z.is_zero() {
            return Err(Stop::Undefined);
        }
        if z == Self::ONE {
            return Ok(Self::ZERO);
        }
        let re = if z.is_real() { z.re.abs().ln() } else { z.norm().ln().scale(-1) };
        // Next to one, the logarithm has only the bits by which its argument differs from one.
        Ok(context.cancelled(0, Self { re, im: z.im.atan2(z.re) }))
    }

    /// `self ^ exponent`; `0^0 = 1`.
    pub(super) fn pow(self, exponent: Self, context: &mut Context) -> Result<Self, Stop> {
        context.limit_exponent(exponent.re)?;
        context.limit_exponent(exponent.im)?;
        if exponent.is_real() {
            if let Some(n) = exponent.re.to_i64() {
                return self.pow_integer(n, context);
            }
            if exponent.re.abs() == Real::HALF {
                context.charge::<N>(self.sqrt_cost() + QUOTIENT)?;
                let root = self.sqrt();
                return if exponent.re.is_negative() { root.recip() } else { Ok(root) };
            }
        }
        if self.is_zero() {
            let vanishes = !exponent.re.is_negative() && !exponent.re.is_zero();
            return if vanishes { Ok(Self::ZERO) } else { Err(Stop::Undefined) };
        }
        context.charge::<N>(PRODUCT)?;
        self.ln(context)?.mul(exponent).exp_unlimited(context)
    }

    fn pow_integer(self, n: i64, context: &mut Context) -> Result<Self, Stop> {
        let mut base = if n < 0 { self.recip()? } else { self };
        let mut left = n.unsigned_abs();
        let mut result = Self::ONE;
        let product = if self.is_real() { 1 } else { PRODUCT };
        context.charge::<N>(QUOTIENT + 2 * product * (64 - left.leading_zeros() as usize))?;
        while left > 0 {
            if left & 1 == 1 {
                result = result.mul(base);
            }
            left >>= 1;
            if left > 0 {
                base = base.mul(base);
            }
        }
        Ok(result)
    }
}

impl Context<'_> {
    /// Refuses exponents beyond the limit.
    pub fn limit_exponent<const N: usize>(&mut self, exponent: Real<N>) -> Result<(), Refusal> {
        let limit = Real::integer(self.budget.limits().exponent.into());
        if exponent.compare_abs(&limit) == Ordering::Greater { Err(Refusal::Big) } else { Ok(()) }
    }

    /// Sine and cosine of a real number small enough to be reduced.
    pub fn sin_cos<const N: usize>(&mut self, x: Real<N>) -> Result<(Real<N>, Real<N>), Refusal> {
        if x.exponent() > 60 {
            return Err(Refusal::Big);
        }
        self.charge::<N>(SIN_COS)?;
        Ok(x.sin_cos())
    }
}
