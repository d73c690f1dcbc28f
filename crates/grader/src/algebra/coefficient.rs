//! Coefficients: exact rationals, or IEEE doubles where decimal literals are read as doubles.

use std::hash::{Hash, Hasher};

use super::Stop;
use super::number::Rational;
use super::numeric;
use crate::{Budget, Refusal, budget::cost};

/// Exact until it meets a double.
#[derive(Debug, Clone)]
pub(crate) enum Coefficient {
    Exact(Rational),
    Double(f64),
    /// A decimal of more digits than a double holds: arithmetic with it takes doubles as what they are and stays exact.
    Long(Rational),
}

/// The same bits: a key for interning, so not-a-number equals itself and the zeros differ.
impl PartialEq for Coefficient {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) | (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Coefficient {}

impl Hash for Coefficient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Exact(value) | Self::Long(value) => value.hash(state),
            Self::Double(value) => value.to_bits().hash(state),
        }
    }
}

impl Coefficient {
    pub const ZERO: Self = Self::Exact(Rational::ZERO);
    pub const ONE: Self = Self::Exact(Rational::ONE);
    pub const MINUS_ONE: Self = Self::Exact(Rational::MINUS_ONE);

    pub fn is_zero(&self) -> bool {
        match self {
            Self::Exact(value) | Self::Long(value) => value.is_zero(),
            Self::Double(value) => *value == 0.0,
        }
    }

    pub fn is_negative(&self) -> bool {
        match self {
            Self::Exact(value) | Self::Long(value) => value.is_negative(),
            Self::Double(value) => *value < 0.0,
        }
    }

    pub fn exact(&self) -> Option<&Rational> {
        match self {
            Self::Exact(value) => Some(value),
            Self::Double(_) | Self::Long(_) => None,
        }
    }

    pub fn neg(&self) -> Self {
        match self {
            Self::Exact(value) => Self::Exact(value.neg()),
            Self::Double(value) => Self::Double(-value),
            Self::Long(value) => Self::Long(value.neg()),
        }
    }

    pub fn add(&self, other: &Self, budget: &mut Budget) -> Result<Self, Refusal> {
        Ok(match Pair::new(self, other, budget)? {
            Pair::Exact(a, b) => Self::Exact(a.add(&b, budget)?),
            Pair::Long(a, b) => Self::Long(a.add(&b, budget)?),
            Pair::Double(a, b) => Self::Double(a + b),
        })
    }

    pub fn mul(&self, other: &Self, budget: &mut Budget) -> Result<Self, Refusal> {
        Ok(match Pair::new(self, other, budget)? {
            Pair::Exact(a, b) => Self::Exact(a.mul(&b, budget)?),
            Pair::Long(a, b) => Self::Long(a.mul(&b, budget)?),
            Pair::Double(a, b) => Self::Double(a * b),
        })
    }

    /// One division, not a product with the reciprocal: doubles tell them apart. By a double, an exact number is multiplied with
    /// the reciprocal all the same, as SymPy does it.
    pub fn div(&self, other: &Self, budget: &mut Budget) -> Result<Self, Stop> {
        if other.is_zero() {
            return Err(Stop::Undefined);
        }
        if let (Self::Exact(_), Self::Double(divisor)) = (self, other) {
            return Ok(self.mul(&Self::Double(1.0 / divisor), budget)?);
        }
        Ok(match Pair::new(self, other, budget)? {
            Pair::Exact(a, b) => Self::Exact(a.div(&b, budget)?.ok_or(Stop::Undefined)?),
            Pair::Long(a, b) => Self::Long(a.div(&b, budget)?.ok_or(Stop::Undefined)?),
            Pair::Double(a, b) => Self::Double(a / b),
        })
    }

    /// `self ^ exponent` for an integer.
    pub fn power(&self, exponent: i64, budget: &mut Budget) -> Result<Self, Stop> {
        match self {
            Self::Exact(value) => Ok(Self::Exact(value.power(exponent, budget)?.ok_or(Stop::Undefined)?)),
            Self::Double(value) => Ok(Self::Double(double_power(*value, &Rational::integer(exponent), budget)?)),
            Self::Long(value) => Ok(Self::Long(value.power(exponent, budget)?.ok_or(Stop::Undefined)?)),
        }
    }

    /// Words beyond the first.
    pub fn words(&self) -> usize {
        match self {
            Self::Exact(value) | Self::Long(value) => value.bits() / 64,
            Self::Double(_) => 0,
        }
    }

    pub fn to_f64(&self) -> f64 {
        match self {
            Self::Exact(value) | Self::Long(value) => value.to_f64(),
            Self::Double(value) => *value,
        }
    }

    /// The value exactly; for a double, the shortest decimal that reads back as it: what was written, in effect.
    pub fn to_rational(&self, budget: &mut Budget) -> Result<Rational, Stop> {
        match self {
            Self::Exact(value) | Self::Long(value) => Ok(value.clone()),
            Self::Double(value) => {
                budget.step(cost::BIG)?;
                let magnitude = Rational::parse(&format!("{:e}", value.abs()), budget)?.ok_or(Stop::Undefined)?;
                Ok(if *value < 0.0 { magnitude.neg() } else { magnitude })
            }
        }
    }
}

/// Two coefficients in the arithmetic that they share.
enum Pair {
    Exact(Rational, Rational),
    Double(f64, f64),
    Long(Rational, Rational),
}

impl Pair {
    fn new(a: &Coefficient, b: &Coefficient, budget: &mut Budget) -> Result<Self, Refusal> {
        use Coefficient::{Double, Exact, Long};
        Ok(match (a, b) {
            (Exact(a), Exact(b)) => Self::Exact(a.clone(), b.clone()),
            (Long(a), Exact(b) | Long(b)) | (Exact(a), Long(b)) => Self::Long(a.clone(), b.clone()),
            (Double(a), Long(b)) if a.is_finite() => {
                Self::Long(Rational::from_f64(*a, budget)?.unwrap_or(Rational::ZERO), b.clone())
            }
            (Long(a), Double(b)) if b.is_finite() => {
                Self::Long(a.clone(), Rational::from_f64(*b, budget)?.unwrap_or(Rational::ZERO))
            }
            _ => {
                // A quotient of many digits, unless it is a double already.
                if matches!((a, b), (Exact(_), _) | (_, Exact(_))) {
                    budget.step(cost::BIG + 4 * (a.words() + b.words()))?;
                }
                Self::Double(a.to_f64(), b.to_f64())
            }
        })
    }
}

/// The double nearest to `base ^ exponent`; `base` is positive unless the exponent is an integer.
pub(super) fn double_power(base: f64, exponent: &Rational, budget: &mut Budget) -> Result<f64, Stop> {
    let base = Rational::from_f64(base, budget)?.ok_or(Stop::Undefined)?;
    numeric::real_power(&base, exponent, budget)?.ok_or(Stop::Undefined)
}
