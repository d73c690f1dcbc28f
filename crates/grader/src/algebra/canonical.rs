//! The canonical form of a node. Products are gathered through nested products and integer powers before sums in them are
//! multiplied out, so that `(x+1)·y/(x+1)` cancels.

use std::rc::Rc;

use super::Stop;
use super::arena::{Func, Id, Node};
use super::calls;
use super::coefficient::Coefficient;
use super::forms::{Atom, Forms, Sum, SumId};
use super::number::Rational;
use super::product::{Product, Total};
use crate::{Budget, budget::cost};

/// Decimal literals with more digits than this hold more than a double.
const DOUBLE_DIGITS: u32 = 15;

impl Forms {
    /// The canonical form; the nodes are those of one arena in every call.
    pub fn canonical(&mut self, nodes: &[Node], id: Id, budget: &mut Budget) -> Result<SumId, Stop> {
        if let Some(Some(known)) = self.known.get(id.index()) {
            return Ok(*known);
        }
        let sum = self.form(nodes, id, budget)?;
        let sum = self.intern_sum(sum, budget)?;
        if self.known.len() < nodes.len() {
            self.known.resize(nodes.len(), None);
        }
        self.known[id.index()] = Some(sum);
        Ok(sum)
    }

    fn canonical_sum(&mut self, nodes: &[Node], id: Id, budget: &mut Budget) -> Result<Rc<Sum>, Stop> {
        let id = self.canonical(nodes, id, budget)?;
        Ok(self.sum(id))
    }

    fn form(&mut self, nodes: &[Node], id: Id, budget: &mut Budget) -> Result<Sum, Stop> {
        budget.step(cost::TERM)?;
        let atom = match &nodes[id.index()] {
            Node::Number(value) => return Ok(Sum::number(Coefficient::Exact(value.clone()))),
            Node::Decimal(value, digits) => return Ok(Sum::number(self.literal(value, *digits))),
            Node::Symbol(symbol) => Atom::Symbol(*symbol),
            Node::Pi => Atom::Pi,
            Node::E => Atom::E,
            Node::Infinity => Atom::Infinity,
            Node::I => {
                let mut product = Product::one();
                let minus = self.intern_atom(Atom::MinusOne, budget)?;
                product.raise(minus, &Rational::new(1, 2).unwrap_or(Rational::ONE), budget)?;
                return self.finish(product, budget);
            }
            Node::Add(terms) => {
                let mut total = Total::default();
                for &term in terms {
                    let term = self.canonical_sum(nodes, term, budget)?;
                    total.add(&term, budget)?;
                }
                return Ok(total.finish());
            }
            Node::Mul(factors) => {
                let mut product = Product::one();
                for &factor in factors {
                    self.gather(nodes, factor, 1, &mut product, budget)?;
                }
                return self.finish(product, budget);
            }
            Node::Pow(..) => {
                let mut product = Product::one();
                self.gather(nodes, id, 1, &mut product, budget)?;
                return self.finish(product, budget);
            }
            Node::Call(func, args) => {
                let args: Result<Vec<_>, _> = args.iter().map(|&arg| self.canonical(nodes, arg, budget)).collect();
                return self.call(*func, &args?, budget);
            }
        };
        self.atom_sum(atom, budget)
    }

    fn literal(&self, value: &Rational, digits: u32) -> Coefficient {
        let double = value.to_f64();
        let in_range = double.is_finite() && (double != 0.0 || value.is_zero());
        match (self.doubles, digits <= DOUBLE_DIGITS && in_range) {
            (false, _) => Coefficient::Exact(value.clone()),
            (true, true) => Coefficient::Double(double),
            (true, false) => Coefficient::Long(value.clone()),
        }
    }

    /// Multiplies `product` by `id ^ power`, through products and integer powers below. With doubles, whose products depend on
    /// the order, what stands in parentheses is calculated first.
    fn gather(
        &mut self,
        nodes: &[Node],
        id: Id,
        power: i64,
        product: &mut Product,
        budget: &mut Budget,
    ) -> Result<(), Stop> {
        budget.step(cost::TERM)?;
        match &nodes[id.index()] {
            Node::Mul(factors) if !self.doubles => {
                for &factor in factors {
                    self.gather(nodes, factor, power, product, budget)?;
                }
                return Ok(());
            }
            Node::Pow(base, exponent) if !self.doubles || power == 1 => {
                let exponent = self.canonical_sum(nodes, *exponent, budget)?;
                let constant = exponent.constant();
                if let Some(inner) = constant.as_ref().and_then(Coefficient::exact).and_then(Rational::to_i64)
                    && let Some(power) = power.checked_mul(inner)
                {
                    return self.gather(nodes, *base, power, product, budget);
                }
                let base = self.canonical_sum(nodes, *base, budget)?;
                let inner = self.general_power(&base, &exponent, budget)?;
                let inner = self.power_of_term(inner, &Rational::integer(power), budget)?;
                return Ok(product.multiply(&inner, budget)?);
            }
            _ => {}
        }
        let sum = self.canonical_sum(nodes, id, budget)?;
        if let Some(divisor) = sum.constant().filter(|_| power == -1 && product.factors.is_empty()) {
            // Number by number is one division; further on it is a product with the reciprocal. Doubles tell them apart.
            product.coefficient = product.coefficient.div(&divisor, budget)?;
            return Ok(());
        }
        let inner = self.power(&sum, &Rational::integer(power), budget)?;
        product.multiply(&inner, budget)?;
        Ok(())
    }

    /// A function of canonical arguments: a value where it is exact and plain, else an atom.
    fn call(&mut self, func: Func, args: &[SumId], budget: &mut Budget) -> Result<Sum, Stop> {
        let sums: Vec<_> = args.iter().map(|&arg| self.sum(arg)).collect();
        let product = match (func, &sums[..]) {
            (Func::Sqrt, [x]) => self.root(x, &Sum::number(Coefficient::Exact(Rational::integer(2))), budget)?,
            (Func::Root, [x, n]) => self.root(x, n, budget)?,
            (Func::Exp, [x]) => {
                let base = self.atom_sum(Atom::E, budget)?;
                self.general_power(&base, x, budget)?
            }
            (Func::Log, [x, base]) => {
                let (x, base) = (self.ln(x, budget)?, self.ln(base, budget)?);
                let mut product = self.power(&x, &Rational::ONE, budget)?;
                product.multiply(&self.power(&base, &Rational::MINUS_ONE, budget)?, budget)?;
                product
            }
            (Func::Ln, [x]) => return self.ln(x, budget),
            _ => {
                let constants: Option<Vec<_>> = sums.iter().map(|sum| sum.constant()).collect();
                if let Some(constants) = constants
                    && let Some(value) = calls::of_numbers(func, &constants, budget)?
                {
                    return Ok(Sum::number(value));
                }
                return self.atom_sum(Atom::Call(func, args.into()), budget);
            }
        };
        self.finish(product, budget)
    }

    fn root(&mut self, x: &Sum, degree: &Sum, budget: &mut Budget) -> Result<Product, Stop> {
        let inverse = self.power(degree, &Rational::MINUS_ONE, budget)?;
        let inverse = self.finish(inverse, budget)?;
        self.general_power(x, &inverse, budget)
    }

    /// The logarithm: a sum over the factors of a positive constant, otherwise an atom.
    fn ln(&mut self, x: &Sum, budget: &mut Budget) -> Result<Sum, Stop> {
        if x.is_zero() {
            return Err(Stop::Undefined);
        }
        if let Some(value) = x.constant()
            && value.exact().is_none()
            && let Some(value) = calls::of_numbers(Func::Ln, &[value], budget)?
        {
            return Ok(Sum::number(value));
        }
        let factors = self.bases(x, budget)?;
        if !factors.iter().all(|factor| self.is_positive(factor.0)) {
            return self.ln_atom(x.clone(), budget);
        }
        let mut total = Total::default();
        for (atom, exponent) in factors {
            let ln = match &*self.atom(atom) {
                Atom::E => Sum::number(Coefficient::ONE),
                Atom::Integer(value) => {
                    let value = Rational::from_big(value.clone());
                    self.ln_atom(Sum::number(Coefficient::Exact(value)), budget)?
                }
                other => {
                    let sum = self.atom_sum(other.clone(), budget)?;
                    self.ln_atom(sum, budget)?
                }
            };
            for (monomial, _) in &ln.0 {
                total.add_term(*monomial, &Coefficient::Exact(exponent.clone()), budget)?;
            }
        }
        Ok(total.finish())
    }

    fn ln_atom(&mut self, x: Sum, budget: &mut Budget) -> Result<Sum, Stop> {
        let arg = self.intern_sum(x, budget)?;
        self.atom_sum(Atom::Call(Func::Ln, [arg].into()), budget)
    }

    /// The sum of one atom.
    fn atom_sum(&mut self, atom: Atom, budget: &mut Budget) -> Result<Sum, Stop> {
        let atom = self.intern_atom(atom, budget)?;
        let monomial = self.intern_monomial(vec![(atom, Rational::ONE)], budget)?;
        Ok(Sum(vec![(monomial, Coefficient::ONE)]))
    }
}
