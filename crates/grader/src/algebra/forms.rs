//! Canonical expressions: a sum of coefficient × monomial, a monomial being a product of atoms with rational exponents. All are
//! interned, so that equal trees have equal ids.
//!
//! `a^r` for an atom `a` means `exp(r·ln a)`, so exponents of one atom add, whatever the branch.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use num_bigint::BigInt;

use super::arena::{Func, Symbol};
use super::coefficient::Coefficient;
use super::number::Rational;
use crate::{Budget, Refusal, budget::cost};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct AtomId(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MonomialId(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SumId(u32);

/// What monomials are made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Atom {
    Symbol(Symbol),
    Pi,
    E,
    Infinity,
    /// One, in exponents that are decimal literals: `x^2.0` is no `x^2`.
    Decimal,
    /// Base of the roots of unity; its square root is the imaginary unit. Exponents are kept in (0, 1).
    MinusOne,
    /// A prime, or a larger integer that resisted trial division. Exponents are kept in (0, 1).
    Integer(BigInt),
    /// A sum of two terms or more as the base of a power; or one term that a fractional exponent cannot be distributed over.
    Sum(SumId),
    /// `base ^ monomial`, the monomial not constant; rational multiples of it are exponents of this atom.
    Power(AtomId, MonomialId),
    Call(Func, Box<[SumId]>),
}

/// Atoms with their exponents, by atom; no exponent is zero.
pub(super) type Monomial = Vec<(AtomId, Rational)>;

/// Terms by monomial; no coefficient is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sum(pub(super) Vec<(MonomialId, Coefficient)>);

impl Sum {
    /// Every coefficient is exactly zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The value, if it is a number.
    pub(super) fn constant(&self) -> Option<Coefficient> {
        match &self.0[..] {
            [] => Some(Coefficient::ZERO),
            [(Forms::UNIT, value)] => Some(value.clone()),
            _ => None,
        }
    }

    pub(super) fn number(value: Coefficient) -> Self {
        if value.is_zero() { Self::default() } else { Self(vec![(Forms::UNIT, value)]) }
    }
}

/// The interned parts of one arena's canonical expressions.
#[derive(Debug)]
pub(super) struct Forms {
    atoms: Table<Atom>,
    monomials: Table<Monomial>,
    sums: Table<Sum>,
    /// The canonical form of each node that has been asked for.
    pub(super) known: Vec<Option<SumId>>,
    /// Decimal literals are doubles.
    pub(super) doubles: bool,
}

impl Forms {
    /// The empty monomial, which all numbers are coefficients of.
    pub const UNIT: MonomialId = MonomialId(0);

    pub fn new(doubles: bool) -> Self {
        let mut monomials = Table::default();
        // The first to be interned gets id zero.
        monomials.intern(Vec::new());
        Self { atoms: Table::default(), monomials, sums: Table::default(), known: Vec::new(), doubles }
    }

    pub fn atom(&self, id: AtomId) -> Rc<Atom> {
        self.atoms.get(id.0)
    }

    pub fn monomial(&self, id: MonomialId) -> Rc<Monomial> {
        self.monomials.get(id.0)
    }

    pub fn sum(&self, id: SumId) -> Rc<Sum> {
        self.sums.get(id.0)
    }

    pub fn intern_atom(&mut self, atom: Atom, budget: &mut Budget) -> Result<AtomId, Refusal> {
        let items = match &atom {
            Atom::Integer(value) => value.bits() as usize / 64,
            Atom::Call(_, args) => args.len(),
            _ => 0,
        };
        budget.step(cost::INTERN + cost::INTERN_ITEM * items)?;
        Ok(AtomId(self.atoms.intern(atom)))
    }

    pub fn intern_monomial(&mut self, monomial: Monomial, budget: &mut Budget) -> Result<MonomialId, Refusal> {
        if monomial.is_empty() {
            return Ok(Self::UNIT);
        }
        budget.step(cost::INTERN + cost::INTERN_ITEM * monomial.len())?;
        Ok(MonomialId(self.monomials.intern(monomial)))
    }

    pub fn intern_sum(&mut self, sum: Sum, budget: &mut Budget) -> Result<SumId, Refusal> {
        let words: usize = sum.0.iter().map(|(_, coefficient)| coefficient.words()).sum();
        budget.step(cost::INTERN + cost::INTERN_ITEM * (sum.0.len() + words))?;
        Ok(SumId(self.sums.intern(sum)))
    }
}

/// Items numbered in the order they first came; equal items have one number.
#[derive(Debug)]
struct Table<T> {
    items: Vec<Rc<T>>,
    numbers: HashMap<Rc<T>, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { items: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Eq + Hash> Table<T> {
    fn get(&self, number: u32) -> Rc<T> {
        Rc::clone(&self.items[number as usize])
    }

    fn intern(&mut self, item: T) -> u32 {
        if let Some(&number) = self.numbers.get(&item) {
            return number;
        }
        // Each item costs a step, and steps are counted in 32 bits.
        let number = self.items.len() as u32;
        let item = Rc::new(item);
        self.items.push(Rc::clone(&item));
        self.numbers.insert(item, number);
        number
    }
}
