//! Products: exponents of one atom are added, integer parts of roots move into the coefficient, and products and small powers
//! of sums are multiplied out.

use std::collections::BTreeMap;

use super::Stop;
use super::coefficient::Coefficient;
use super::forms::{Atom, AtomId, Forms, MonomialId, Sum, SumId};
use super::number::Rational;
use crate::{Budget, Refusal, budget::cost};

/// A product of sums is multiplied out if it has at most this many terms before like terms are merged.
const MOST_TERMS: usize = 32;

/// Coefficient × atoms, exponents not yet normalised.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub coefficient: Coefficient,
    /// By atom; exponents are not zero.
    pub factors: Vec<(AtomId, Rational)>,
}

impl Product {
    pub fn number(coefficient: Coefficient) -> Self {
        Self { coefficient, factors: Vec::new() }
    }

    pub fn one() -> Self {
        Self::number(Coefficient::ONE)
    }

    /// Multiplies by `atom ^ exponent`.
    pub fn raise(&mut self, atom: AtomId, exponent: &Rational, budget: &mut Budget) -> Result<(), Refusal> {
        budget.step(6 + self.factors.len() / 6)?;
        match self.factors.binary_search_by_key(&atom, |factor| factor.0) {
            Ok(place) => {
                let sum = self.factors[place].1.add(exponent, budget)?;
                if sum.is_zero() {
                    self.factors.remove(place);
                } else {
                    self.factors[place].1 = sum;
                }
            }
            Err(place) if !exponent.is_zero() => self.factors.insert(place, (atom, exponent.clone())),
            Err(_) => {}
        }
        Ok(())
    }

    pub fn multiply(&mut self, other: &Self, budget: &mut Budget) -> Result<(), Refusal> {
        self.coefficient = self.coefficient.mul(&other.coefficient, budget)?;
        for (atom, exponent) in &other.factors {
            self.raise(*atom, exponent, budget)?;
        }
        Ok(())
    }
}

impl Forms {
    pub fn term(&self, (monomial, coefficient): &(MonomialId, Coefficient)) -> Product {
        Product { coefficient: coefficient.clone(), factors: self.monomial(*monomial).to_vec() }
    }

    /// The product as a sum: one term, or several if powers of sums were multiplied out.
    pub fn finish(&mut self, product: Product, budget: &mut Budget) -> Result<Sum, Stop> {
        budget.step(cost::TERM + 4 * product.factors.len())?;
        let mut coefficient = product.coefficient;
        if coefficient.is_zero() {
            return Ok(Sum::default());
        }
        let mut factors = Vec::with_capacity(product.factors.len());
        let mut powers = Vec::new();
        let mut terms = 1usize;
        for (id, exponent) in product.factors {
            let base = match &*self.atom(id) {
                Atom::MinusOne => Some(Rational::MINUS_ONE),
                Atom::Integer(value) => Some(Rational::from_big(value.clone())),
                Atom::Sum(sum) => {
                    let length = self.sum(*sum).0.len();
                    if let Some(power) = exponent.to_i64().filter(|&power| power > 0 || length == 1) {
                        terms = terms.saturating_mul(terms_of_power(length, power));
                        powers.push((id, *sum, power));
                        continue;
                    }
                    None
                }
                _ => None,
            };
            let exponent = match base {
                // n^(7/2) = n³·n^(1/2)
                Some(base) => {
                    let whole = exponent.floor(budget)?;
                    let scale = base.power(whole.to_i64().ok_or(Refusal::Big)?, budget)?.ok_or(Stop::Undefined)?;
                    coefficient = coefficient.mul(&Coefficient::Exact(scale), budget)?;
                    exponent.sub(&whole, budget)?
                }
                None => exponent,
            };
            if !exponent.is_zero() {
                factors.push((id, exponent));
            }
        }
        // A single sum is as long multiplied out as it was before.
        let single = matches!(powers[..], [(_, _, 1)]);
        let expand = single || terms <= MOST_TERMS;
        if !expand {
            factors.extend(powers.iter().map(|&(id, _, power)| (id, Rational::integer(power))));
            factors.sort_unstable_by_key(|factor| factor.0);
        }
        let monomial = self.intern_monomial(factors, budget)?;
        let result = Sum(vec![(monomial, coefficient)]);
        if !expand || powers.is_empty() {
            return Ok(result);
        }
        // What is multiplied out may hold powers of sums again.
        budget.enter()?;
        let result = self.multiply_powers(result, powers.into_iter().map(|(_, sum, power)| (sum, power)), budget);
        budget.leave();
        result
    }

    fn multiply_powers(
        &mut self,
        mut result: Sum,
        powers: impl Iterator<Item = (SumId, i64)>,
        budget: &mut Budget,
    ) -> Result<Sum, Stop> {
        for (sum, power) in powers {
            let sum = self.sum(sum);
            if sum.0.len() == 1 {
                let product = self.power(&sum, &Rational::integer(power), budget)?;
                let factor = self.finish(product, budget)?;
                result = self.multiply(&result, &factor, budget)?;
                continue;
            }
            for _ in 0..power {
                result = self.multiply(&result, &sum, budget)?;
            }
        }
        Ok(result)
    }

    /// `a·b`, multiplied out term by term.
    pub fn multiply(&mut self, a: &Sum, b: &Sum, budget: &mut Budget) -> Result<Sum, Stop> {
        let mut total = Total::default();
        for left in &a.0 {
            budget.step(cost::TERM)?;
            let left = self.term(left);
            for right in &b.0 {
                budget.step(2 * cost::TERM + 4 * left.factors.len())?;
                let mut product = left.clone();
                product.multiply(&self.term(right), budget)?;
                let product = self.finish(product, budget)?;
                total.add(&product, budget)?;
            }
        }
        Ok(total.finish())
    }
}

/// Terms of the `power`-th power of a sum of `length` terms: `C(length + power - 1, power)`, or any number beyond what is
/// multiplied out.
fn terms_of_power(length: usize, power: i64) -> usize {
    if length <= 1 {
        return 1;
    }
    let mut terms = 1;
    for i in 1.. {
        if i > power.unsigned_abs() as usize {
            break;
        }
        terms = terms * (length + i - 1) / i;
        if terms > MOST_TERMS {
            break;
        }
    }
    terms
}

/// A sum being added up, in the order the terms come.
#[derive(Debug, Default)]
pub(super) struct Total(BTreeMap<MonomialId, Coefficient>);

impl Total {
    pub fn add(&mut self, sum: &Sum, budget: &mut Budget) -> Result<(), Refusal> {
        for (monomial, coefficient) in &sum.0 {
            self.add_term(*monomial, coefficient, budget)?;
        }
        Ok(())
    }

    pub fn add_term(&mut self, monomial: MonomialId, term: &Coefficient, budget: &mut Budget) -> Result<(), Refusal> {
        budget.step(cost::TERM)?;
        let coefficient = self.0.entry(monomial).or_insert(Coefficient::ZERO);
        // The first term is taken as it is: an exact zero added to a double would be harmless, but an exact term stays exact.
        *coefficient = if coefficient.is_zero() { term.clone() } else { coefficient.add(term, budget)? };
        Ok(())
    }

    pub fn finish(self) -> Sum {
        Sum(self.0.into_iter().filter(|(_, coefficient)| !coefficient.is_zero()).collect())
    }
}
