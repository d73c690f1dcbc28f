//! Values of expressions without symbols: exact if rational, else to 192 bits.

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::arena::{Arena, Id};
use super::number::Rational;
use super::numeric::{self, Complex, Real};
use super::{Stop, coefficient::Coefficient};
use crate::{Budget, Refusal};

/// A number.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Rational(Rational),
    /// Real or complex, to 192 bits; no rational that the exact arithmetic recognised.
    Numeric(Complex<4>),
}

/// The value of an expression. `None` if it is undefined or holds symbols or infinities.
///
/// # Errors
/// The limit that was reached first.
pub(crate) fn value(arena: &mut Arena, id: Id, budget: &mut Budget) -> Result<Option<Value>, Refusal> {
    match find(arena, id, budget) {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Undefined) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}

fn find(arena: &mut Arena, id: Id, budget: &mut Budget) -> Result<Value, Stop> {
    let (nodes, forms) = arena.exact_forms();
    let sum = forms.canonical(nodes, id, budget)?;
    if let Some(Coefficient::Exact(value)) = forms.sum(sum).constant() {
        return Ok(Value::Rational(value));
    }
    Ok(Value::Numeric(numeric::value(arena, id, budget)?.on_axis()))
}

impl Value {
    /// The value to 192 bits, if it is real.
    fn real(&self) -> Option<Real<4>> {
        match self {
            Self::Rational(value) => Some(Real::rational(value)),
            Self::Numeric(value) => value.is_real().then_some(value.re),
        }
    }

    /// The nearest double, if the value is real; infinite beyond the range of doubles.
    pub fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Rational(value) => Some(value.to_f64()),
            Self::Numeric(_) => self.real().map(Real::to_f64),
        }
    }

    /// The order of two real values; `None` if one is not real.
    pub fn compare(&self, other: &Self, budget: &mut Budget) -> Result<Option<Ordering>, Refusal> {
        if let (Self::Rational(a), Self::Rational(b)) = (self, other) {
            return a.compare(b, budget).map(Some);
        }
        Ok(self.real().zip(other.real()).map(|(a, b)| a.compare(&b)))
    }

    /// A real value rounded to `digits` decimals, halves of rationals to the even neighbour. `None` if it is not real, or too
    /// large for its digits to be known.
    pub fn round(&self, digits: u32, budget: &mut Budget) -> Result<Option<Rational>, Refusal> {
        if let Self::Rational(value) = self {
            return value.round(digits, budget).map(Some);
        }
        let (Some(value), Some(scale)) = (self.real(), Rational::integer(10).power(digits.into(), budget)?) else {
            return Ok(None);
        };
        let scaled = value.mul(Real::rational(&scale)).add(Real::HALF);
        let Some(rounded) = (scaled.exponent() < 190).then(|| scaled.floor()).flatten() else { return Ok(None) };
        let rounded: BigInt = rounded;
        Rational::from_big(rounded).div(&scale, budget)
    }
}
