//! Whether a canonical sum is zero as a function, where exact arithmetic can tell.

use super::Stop;
use super::forms::{Atom, AtomId, Forms, Sum};
use super::integer::PROVEN_PRIME;
use super::number::Rational;
use super::product::Total;
use crate::{Budget, Refusal, budget::cost};

/// Sums grow when denominators are multiplied out; beyond this many terms the numeric test is the better judge.
const MOST_TERMS: usize = 64;
/// Denominators multiplied out, one after another.
const MOST_DENOMINATORS: usize = 8;

impl Forms {
    pub fn difference(&self, a: &Sum, b: &Sum, budget: &mut Budget) -> Result<Sum, Refusal> {
        let mut total = Total::default();
        total.add(a, budget)?;
        for (monomial, coefficient) in &b.0 {
            total.add_term(*monomial, &coefficient.neg(), budget)?;
        }
        Ok(total.finish())
    }

    /// `Some(true)`: identically zero. `Some(false)`: not. `None`: not decided.
    pub fn vanishes(&mut self, sum: &Sum, budget: &mut Budget) -> Result<Option<bool>, Stop> {
        let mut sum = sum.clone();
        for _ in 0..MOST_DENOMINATORS {
            // At least half of the steps are left to the numeric test.
            if sum.0.len() > MOST_TERMS || budget.steps() > budget.limits().steps / 2 {
                return Ok(None);
            }
            let Some((atom, power)) = self.denominator(&sum, budget)? else { break };
            budget.step(2 * cost::TERM * sum.0.len())?;
            let mut total = Total::default();
            for term in &sum.0 {
                let mut product = self.term(term);
                product.raise(atom, &power, budget)?;
                let product = self.finish(product, budget)?;
                total.add(&product, budget)?;
            }
            sum = total.finish();
        }
        if sum.is_zero() {
            return Ok(Some(true));
        }
        Ok(self.is_independent(&sum, budget)?.then_some(false))
    }

    /// A sum in some denominator, and the highest power of it that divides.
    fn denominator(&self, sum: &Sum, budget: &mut Budget) -> Result<Option<(AtomId, Rational)>, Refusal> {
        let mut found: Option<(AtomId, Rational)> = None;
        for (monomial, _) in &sum.0 {
            let monomial = self.monomial(*monomial);
            budget.step(4 + 4 * monomial.len())?;
            for (atom, exponent) in monomial.iter() {
                let wanted = found.as_ref().is_none_or(|found| found.0 == *atom);
                if !wanted || !exponent.is_negative() || !matches!(*self.atom(*atom), Atom::Sum(_)) {
                    continue;
                }
                let power = exponent.neg();
                match &found {
                    Some((_, most)) if power.compare(most, budget)?.is_le() => {}
                    _ => found = Some((*atom, power)),
                }
            }
        }
        Ok(found)
    }

    /// Whether different monomials of the sum are linearly independent over the rationals, so that a sum of them is not zero:
    /// products of powers of symbols, of roots of primes, of the imaginary unit, and of π or e. (Of both together it is not
    /// known.)
    fn is_independent(&self, sum: &Sum, budget: &mut Budget) -> Result<bool, Refusal> {
        let (mut pi, mut e) = (false, false);
        for (monomial, coefficient) in &sum.0 {
            if coefficient.exact().is_none() {
                return Ok(false);
            }
            let monomial = self.monomial(*monomial);
            budget.step(4 + 4 * monomial.len())?;
            for (atom, exponent) in monomial.iter() {
                let known = match &*self.atom(*atom) {
                    Atom::Symbol(_) => true,
                    Atom::Pi => {
                        pi = true;
                        true
                    }
                    Atom::E => {
                        e = true;
                        true
                    }
                    Atom::Integer(value) => *value < PROVEN_PRIME.into(),
                    Atom::MinusOne => exponent.to_small() == Some((1, 2)),
                    _ => false,
                };
                if !known {
                    return Ok(false);
                }
            }
        }
        Ok(!(pi && e))
    }
}
