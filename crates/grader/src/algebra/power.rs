//! Powers. Only laws that hold for complex numbers on principal branches are used: `(ab)^n = a^n·b^n` for integers `n`, and for
//! any exponent if `a` is positive; `(a^e)^r = a^(e·r)` for integers `r`, for positive `a` and real `e`, and for `-1 < e ≤ 1`.

use num_integer::Integer;

use super::Stop;
use super::coefficient::{Coefficient, double_power};
use super::forms::{Atom, AtomId, Forms, Monomial, MonomialId, Sum};
use super::integer;
use super::number::Rational;
use super::product::{Product, Total};
use crate::{Budget, Refusal, budget::cost};

impl Forms {
    /// `base ^ exponent` for a rational exponent. `0^0 = 1`.
    pub fn power(&mut self, base: &Sum, exponent: &Rational, budget: &mut Budget) -> Result<Product, Stop> {
        if exponent.is_zero() {
            return Ok(Product::one());
        }
        match &base.0[..] {
            [] if exponent.is_negative() => Err(Stop::Undefined),
            [] => Ok(Product::number(Coefficient::ZERO)),
            [term] => {
                let term = self.term(term);
                if exponent.is_integer() {
                    self.power_of_term(term, exponent, budget)
                } else {
                    self.root_of_term(term, exponent, budget)
                }
            }
            _ => self.power_of_sum(base, exponent, budget),
        }
    }

    pub fn power_of_term(&mut self, term: Product, exponent: &Rational, budget: &mut Budget) -> Result<Product, Stop> {
        let power = exponent.to_i64().ok_or(Refusal::Big)?;
        let mut result = Product::number(term.coefficient.power(power, budget)?);
        for (atom, inner) in &term.factors {
            result.raise(*atom, &inner.mul(exponent, budget)?, budget)?;
        }
        Ok(result)
    }

    /// A fractional power of one term: positive constants move out of it, the rest stays together.
    fn root_of_term(&mut self, term: Product, exponent: &Rational, budget: &mut Budget) -> Result<Product, Stop> {
        let (mut result, rest) = self.split_positive(term, exponent, budget)?;
        match &rest.factors[..] {
            [] if !rest.coefficient.is_negative() => {}
            [] => {
                let minus = self.intern_atom(Atom::MinusOne, budget)?;
                result.raise(minus, exponent, budget)?;
            }
            [(atom, inner)] if !rest.coefficient.is_negative() && is_principal(inner, budget)? => {
                result.raise(*atom, &inner.mul(exponent, budget)?, budget)?;
            }
            _ => {
                let opaque = self.opaque(rest, budget)?;
                result.raise(opaque, exponent, budget)?;
            }
        }
        Ok(result)
    }

    /// Splits a term into the power of its positive constants and the rest, whose coefficient is 1 or -1.
    fn split_positive(
        &mut self,
        term: Product,
        exponent: &Rational,
        budget: &mut Budget,
    ) -> Result<(Product, Product), Stop> {
        let negative = term.coefficient.is_negative();
        let mut result = match if negative { term.coefficient.neg() } else { term.coefficient } {
            Coefficient::Exact(value) => self.power_of_rational(&value, exponent, budget)?,
            value => Product::number(Coefficient::Double(double_power(value.to_f64(), exponent, budget)?)),
        };
        let mut rest = Product::number(if negative { Coefficient::MINUS_ONE } else { Coefficient::ONE });
        for (atom, inner) in term.factors {
            if self.is_positive(atom) {
                result.raise(atom, &inner.mul(exponent, budget)?, budget)?;
            } else {
                rest.raise(atom, &inner, budget)?;
            }
        }
        Ok((result, rest))
    }

    /// A positive rational to a fractional power, by its prime factors.
    fn power_of_rational(
        &mut self,
        value: &Rational,
        exponent: &Rational,
        budget: &mut Budget,
    ) -> Result<Product, Stop> {
        let mut result = Product::one();
        let parts = [(value.numerator(), exponent.clone()), (value.denominator(), exponent.neg())];
        for (part, exponent) in parts {
            for (prime, count) in integer::factor(part, budget)? {
                let atom = self.intern_atom(Atom::Integer(prime), budget)?;
                result.raise(atom, &Rational::integer(count.into()).mul(&exponent, budget)?, budget)?;
            }
        }
        Ok(result)
    }

    pub fn is_positive(&self, atom: AtomId) -> bool {
        matches!(*self.atom(atom), Atom::Integer(_) | Atom::Pi | Atom::E)
    }

    /// A term as one atom.
    fn opaque(&mut self, term: Product, budget: &mut Budget) -> Result<AtomId, Stop> {
        let sum = self.finish(term, budget)?;
        let sum = self.intern_sum(sum, budget)?;
        Ok(self.intern_atom(Atom::Sum(sum), budget)?)
    }

    /// A power of a sum: common factors move out, so that one atom stands for all multiples of a sum.
    fn power_of_sum(&mut self, base: &Sum, exponent: &Rational, budget: &mut Budget) -> Result<Product, Stop> {
        let whole = exponent.is_integer();
        budget.step(4 * cost::TERM * base.0.len())?;
        let mut common = Product::number(content(base, whole));
        common.factors = self.common_factors(base, budget)?;
        if !whole {
            common.factors.retain(|factor| self.is_positive(factor.0));
        } else if !exponent.is_negative() {
            // A numerator keeps its partial fractions, so that a sum and its multiples have the same terms.
            common.factors.retain(|factor| !matches!(*self.atom(factor.0), Atom::Sum(_)));
        }
        let inverse = self.power_of_term(common.clone(), &Rational::MINUS_ONE, budget)?;
        let mut primitive = Total::default();
        for term in &base.0 {
            let mut product = self.term(term);
            product.multiply(&inverse, budget)?;
            let term = self.finish(product, budget)?;
            primitive.add(&term, budget)?;
        }
        let mut result = if whole {
            self.power_of_term(common, exponent, budget)?
        } else {
            self.split_positive(common, exponent, budget)?.0
        };
        let sum = self.intern_sum(primitive.finish(), budget)?;
        let atom = self.intern_atom(Atom::Sum(sum), budget)?;
        result.raise(atom, exponent, budget)?;
        Ok(result)
    }

    /// The least exponent of each atom over all terms, an absent atom counting as zero.
    fn common_factors(&self, sum: &Sum, budget: &mut Budget) -> Result<Monomial, Refusal> {
        let terms: Vec<_> = sum.0.iter().map(|term| self.monomial(term.0)).collect();
        let mut common: Monomial = Vec::new();
        for (atom, exponent) in terms.iter().flat_map(|term| term.iter()) {
            budget.step(4 + common.len() / 2)?;
            if common.iter().any(|factor| factor.0 == *atom) {
                continue;
            }
            budget.step(4 * terms.len())?;
            let mut least = exponent.clone();
            for term in &terms {
                let place = term.binary_search_by_key(atom, |factor| factor.0);
                let other = place.map_or(Rational::ZERO, |place| term[place].1.clone());
                if other.compare(&least, budget)?.is_lt() {
                    least = other;
                }
            }
            common.push((*atom, least));
        }
        common.retain(|factor| !factor.1.is_zero());
        common.sort_unstable_by_key(|factor| factor.0);
        Ok(common)
    }

    /// `base ^ exponent` for any exponent: constants in the exponent as above, each other term `c·m` of it as the atom
    /// `base^m` with exponent `c`.
    pub fn general_power(&mut self, base: &Sum, exponent: &Sum, budget: &mut Budget) -> Result<Product, Stop> {
        if let Some(constant) = exponent.constant() {
            return self.power_to_constant(base, &constant, budget);
        }
        if base.is_zero() {
            return Err(Stop::Undefined);
        }
        let bases = self.bases(base, budget)?;
        let mut result = Product::one();
        for (monomial, coefficient) in &exponent.0 {
            if *monomial == Forms::UNIT {
                let power = self.power_to_constant(base, coefficient, budget)?;
                result.multiply(&power, budget)?;
            } else {
                self.raise_bases(&mut result, &bases, *monomial, coefficient, budget)?;
            }
        }
        Ok(result)
    }

    /// Multiplies by the bases to the power `coefficient · monomial`, which is not an exact number.
    fn raise_bases(
        &mut self,
        result: &mut Product,
        bases: &Monomial,
        monomial: MonomialId,
        coefficient: &Coefficient,
        budget: &mut Budget,
    ) -> Result<(), Stop> {
        let mut monomial = monomial;
        if coefficient.exact().is_none() {
            let mut exponent = self.term(&(monomial, Coefficient::ONE));
            let decimal = self.intern_atom(Atom::Decimal, budget)?;
            exponent.raise(decimal, &Rational::ONE, budget)?;
            monomial = self.intern_monomial(exponent.factors, budget)?;
        }
        let coefficient = coefficient.to_rational(budget)?;
        for (atom, inner) in bases {
            let power = self.intern_atom(Atom::Power(*atom, monomial), budget)?;
            result.raise(power, &inner.mul(&coefficient, budget)?, budget)?;
        }
        Ok(())
    }

    fn power_to_constant(&mut self, base: &Sum, exponent: &Coefficient, budget: &mut Budget) -> Result<Product, Stop> {
        let rational = exponent.to_rational(budget)?;
        if exponent.exact().is_some() || base.is_zero() {
            return self.power(base, &rational, budget);
        }
        // A number to a decimal power is a double; anything else to a decimal power is no power with an exact exponent.
        let mut result = Product::one();
        let mut rest = base.clone();
        if let [(_, coefficient)] = &mut rest.0[..] {
            let negative = coefficient.is_negative();
            let magnitude = coefficient.to_f64().abs();
            if magnitude != 1.0 {
                result.coefficient = Coefficient::Double(double_power(magnitude, &rational, budget)?);
            }
            *coefficient = if negative { Coefficient::MINUS_ONE } else { Coefficient::ONE };
        }
        if rest.constant().is_some() {
            let sign = self.power(&rest, &rational, budget)?;
            result.multiply(&sign, budget)?;
            return Ok(result);
        }
        let bases = self.bases(&rest, budget)?;
        self.raise_bases(&mut result, &bases, Forms::UNIT, exponent, budget)?;
        Ok(result)
    }

    /// Atoms and exponents whose powers multiply to the power of `base`, whatever the exponent.
    pub fn bases(&mut self, base: &Sum, budget: &mut Budget) -> Result<Monomial, Stop> {
        let [term] = &base.0[..] else {
            let sum = self.intern_sum(base.clone(), budget)?;
            return Ok(vec![(self.intern_atom(Atom::Sum(sum), budget)?, Rational::ONE)]);
        };
        if term.1.exact().is_none() {
            let term = self.term(term);
            return Ok(vec![(self.opaque(term, budget)?, Rational::ONE)]);
        }
        // One half stands for any exponent: it keeps what is positive apart from what is not.
        let half = Rational::new(1, 2).unwrap_or(Rational::ONE);
        let term = self.term(term);
        let (positive, rest) = self.split_positive(term, &half, budget)?;
        let two = Rational::integer(2);
        let mut bases = Vec::with_capacity(positive.factors.len() + 1);
        for (atom, exponent) in positive.factors {
            bases.push((atom, exponent.mul(&two, budget)?));
        }
        match &rest.factors[..] {
            [] if !rest.coefficient.is_negative() => {}
            [] => bases.push((self.intern_atom(Atom::MinusOne, budget)?, Rational::ONE)),
            [(atom, inner)] if inner.is_one() && !rest.coefficient.is_negative() => bases.push((*atom, Rational::ONE)),
            _ => bases.push((self.opaque(rest, budget)?, Rational::ONE)),
        }
        Ok(bases)
    }
}

/// The greatest rational that divides all coefficients, with the sign of the first if `signed`. One if a part is large or a
/// coefficient is a double.
fn content(sum: &Sum, signed: bool) -> Coefficient {
    let (mut numerator, mut denominator) = (0, 1i64);
    for (_, coefficient) in &sum.0 {
        let Some((n, d)) = coefficient.exact().and_then(Rational::to_small) else { return Coefficient::ONE };
        numerator = integer::gcd(numerator, n);
        match (denominator / denominator.gcd(&d)).checked_mul(d) {
            Some(multiple) => denominator = multiple,
            None => return Coefficient::ONE,
        }
    }
    let negative = signed && sum.0.first().is_some_and(|term| term.1.is_negative());
    let content = Rational::new(if negative { -numerator } else { numerator }, denominator);
    content.filter(|content| !content.is_zero()).map_or(Coefficient::ONE, Coefficient::Exact)
}

/// `(a^e)^r = a^(e·r)` for every `r`.
fn is_principal(exponent: &Rational, budget: &mut Budget) -> Result<bool, Refusal> {
    Ok(exponent.is_one() || exponent.abs().compare(&Rational::ONE, budget)?.is_lt())
}
