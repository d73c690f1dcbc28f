//! Equations and inequalities.

use std::cmp::Ordering;

use super::compare::Comparison;
use super::value::{Chain, Interval, Relation, Value, infinite, symbols};
use crate::Refusal;
use crate::algebra::{self, Id, Node, Rational, Symbol};

impl Comparison<'_> {
    /// Step by step, or turned round as a whole.
    pub fn same_relation(&mut self, gold: &Chain, given: &Chain) -> Result<bool, Refusal> {
        if gold.relations.len() != given.relations.len() {
            return Ok(false);
        }
        Ok(self.same_steps(gold, given)? || self.same_steps(gold, &turned(given))?)
    }

    fn same_steps(&mut self, gold: &Chain, given: &Chain) -> Result<bool, Refusal> {
        if gold.relations != given.relations {
            // A factor of -1 turns the signs, which only a single relation can hide.
            return match (&gold.relations[..], &given.relations[..]) {
                ([gold_sign], [given_sign]) if gold_sign.turned() == *given_sign => {
                    self.proportional(gold, given, Ordering::Less)
                }
                _ => Ok(false),
            };
        }
        for at in 0..gold.relations.len() {
            let step =
                |chain: &Chain| Chain { sides: chain.sides[at..at + 2].to_vec(), relations: vec![chain.relations[at]] };
            let (gold, given) = (step(gold), step(given));
            let same = self.same(&gold.sides[0], &given.sides[0])? && self.same(&gold.sides[1], &given.sides[1])?;
            if !same && !self.proportional(&gold, &given, Ordering::Greater)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the differences of the sides are a constant multiple of each other. The sign of the multiple must be `sign`, except
    /// for equations, where it does not matter.
    fn proportional(&mut self, gold: &Chain, given: &Chain, sign: Ordering) -> Result<bool, Refusal> {
        let (Some(gold_side), Some(given_side)) = (self.difference(gold)?, self.difference(given)?) else {
            return Ok(false);
        };
        if sign == Ordering::Greater && self.identical(gold_side, given_side)? {
            return Ok(true);
        }
        let mut unknown = Vec::new();
        symbols(self.arena, gold_side, &mut unknown);
        symbols(self.arena, given_side, &mut unknown);
        if unknown.is_empty() {
            return Ok(false);
        }
        self.budget.symbols(unknown.len())?;
        // The multiple at one point: if there is one, it is the same everywhere.
        let point: Vec<(Symbol, Rational)> =
            unknown.into_iter().zip(POINT.iter().filter_map(|(n, d)| Rational::new(*n, *d))).collect();
        let (gold_there, given_there) = (self.at(gold_side, &point)?, self.at(given_side, &point)?);
        let (Some(gold_sign), Some(given_sign)) = (self.sign(gold_there)?, self.sign(given_there)?) else {
            return Ok(false);
        };
        let any_sign = matches!(gold.relations[0], Relation::Eq | Relation::Ne);
        if gold_sign == Ordering::Equal
            || given_sign == Ordering::Equal
            || !any_sign && (gold_sign == given_sign) != (sign == Ordering::Greater)
        {
            return Ok(false);
        }
        let left = self.arena.mul(vec![gold_side, given_there], self.budget)?;
        let right = self.arena.mul(vec![given_side, gold_there], self.budget)?;
        self.identical(left, right)
    }

    /// The first side of a relation minus the second.
    fn difference(&mut self, chain: &Chain) -> Result<Option<Id>, Refusal> {
        match chain.sides[..] {
            [Value::Expression(left), Value::Expression(right)] => self.arena.sub(left, right, self.budget).map(Some),
            _ => Ok(None),
        }
    }

    /// The sign of a real number.
    fn sign(&mut self, id: Id) -> Result<Option<Ordering>, Refusal> {
        let value = algebra::value(self.arena, id, self.budget)?;
        Ok(value.and_then(|value| value.to_f64()).and_then(|value| value.partial_cmp(&0.0)))
    }

    /// The expression with numbers for symbols. The recursion is bounded by the height of the arena's trees.
    fn at(&mut self, id: Id, point: &[(Symbol, Rational)]) -> Result<Id, Refusal> {
        let node = self.arena.node(id).clone();
        let mut all =
            |items: &[Id]| items.iter().map(|item| self.at(*item, point)).collect::<Result<Vec<Id>, Refusal>>();
        match &node {
            Node::Symbol(symbol) => match point.iter().find(|(known, _)| known == symbol) {
                Some((_, value)) => self.arena.number(value.clone(), self.budget),
                None => Ok(id),
            },
            Node::Add(items) => {
                let items = all(items)?;
                self.arena.add(items, self.budget)
            }
            Node::Mul(items) => {
                let items = all(items)?;
                self.arena.mul(items, self.budget)
            }
            Node::Call(func, items) => {
                let items = all(items)?;
                self.arena.call(*func, items, self.budget)
            }
            Node::Pow(base, exponent) => {
                let (base, exponent) = (self.at(*base, point)?, self.at(*exponent, point)?);
                self.arena.pow(base, exponent, self.budget)
            }
            _ => Ok(id),
        }
    }
}

/// Values for symbols at which a formula hardly vanishes: no integers, no simple fractions.
const POINT: [(i64, i64); 5] = [(37, 101), (-53, 103), (171, 107), (-189, 109), (313, 113)];

fn turned(chain: &Chain) -> Chain {
    Chain {
        sides: chain.sides.iter().rev().cloned().collect(),
        relations: chain.relations.iter().rev().map(|relation| relation.turned()).collect(),
    }
}

/// The set that linear relations in one symbol describe; `None` for any others.
pub(super) fn solutions(comparison: &mut Comparison<'_>, chain: &Chain) -> Result<Option<Value>, Refusal> {
    let mut set: Option<Value> = None;
    let mut symbol = None;
    for (at, relation) in chain.relations.iter().enumerate() {
        let step = Chain { sides: chain.sides[at..at + 2].to_vec(), relations: vec![*relation] };
        if is_no_bound(comparison, &step) {
            continue;
        }
        let Some(side) = comparison.difference(&step)? else { return Ok(None) };
        let mut found = Vec::new();
        symbols(comparison.arena, side, &mut found);
        let [only] = found[..] else { return Ok(None) };
        if *symbol.get_or_insert(only) != only {
            return Ok(None);
        }
        let Some(part) = half_line(comparison, side, only, *relation)? else { return Ok(None) };
        set = match (set, part) {
            (None, part) => Some(part),
            (Some(Value::Interval(set)), Value::Interval(part)) => common(comparison, &set, &part)?,
            _ => return Ok(None),
        };
        if set.is_none() {
            return Ok(None);
        }
    }
    Ok(set)
}

/// `x < ∞` and `-∞ < x` hold for every number.
fn is_no_bound(comparison: &Comparison<'_>, step: &Chain) -> bool {
    let [Value::Expression(left), Value::Expression(right)] = step.sides[..] else { return false };
    let ends = (infinite(comparison.arena, left), infinite(comparison.arena, right));
    match step.relations[0] {
        Relation::Lt | Relation::Le => matches!(ends, (Some(false), None) | (None, Some(true))),
        Relation::Gt | Relation::Ge => matches!(ends, (Some(true), None) | (None, Some(false))),
        Relation::Eq | Relation::Ne => false,
    }
}

/// Where `side relation 0` holds, for a side linear in the symbol.
fn half_line(
    comparison: &mut Comparison<'_>,
    side: Id,
    symbol: Symbol,
    relation: Relation,
) -> Result<Option<Value>, Refusal> {
    let constant = comparison.at(side, &[(symbol, Rational::ZERO)])?;
    let at_one = comparison.at(side, &[(symbol, Rational::ONE)])?;
    let slope = comparison.arena.sub(at_one, constant, comparison.budget)?;
    let Some(sign) = comparison.sign(slope)?.filter(|sign| *sign != Ordering::Equal) else { return Ok(None) };
    let name = comparison.arena.name(symbol).to_owned();
    let unknown = comparison.arena.symbol(&name, comparison.budget)?;
    let linear = comparison.arena.mul(vec![slope, unknown], comparison.budget)?;
    let linear = comparison.arena.add(vec![constant, linear], comparison.budget)?;
    if !comparison.identical(side, linear)? {
        return Ok(None);
    }
    let root = comparison.arena.div(constant, slope, comparison.budget)?;
    let root = comparison.arena.neg(root, comparison.budget)?;
    let infinity = comparison.arena.infinity(comparison.budget)?;
    let below = comparison.arena.neg(infinity, comparison.budget)?;
    let left = |open| Value::Interval(Interval { low: below, high: root, low_open: true, high_open: open });
    let right = |open| Value::Interval(Interval { low: root, high: infinity, low_open: open, high_open: true });
    let relation = if sign == Ordering::Less { relation.turned() } else { relation };
    Ok(Some(match relation {
        Relation::Eq => Value::Set(vec![Value::Expression(root)]),
        Relation::Ne => Value::Union(vec![left(true), right(true)]),
        Relation::Lt => left(true),
        Relation::Le => left(false),
        Relation::Gt => right(true),
        Relation::Ge => right(false),
    }))
}

/// What a half-line to the left and one to the right have in common.
fn common(comparison: &mut Comparison<'_>, a: &Interval, b: &Interval) -> Result<Option<Value>, Refusal> {
    let is_infinite = |id: Id, comparison: &Comparison<'_>| infinite(comparison.arena, id).is_some();
    let (lower, upper) = match (is_infinite(a.high, comparison), is_infinite(b.high, comparison)) {
        (true, false) if is_infinite(b.low, comparison) => (a, b),
        (false, true) if is_infinite(a.low, comparison) => (b, a),
        _ => return Ok(None),
    };
    let width = comparison.arena.sub(upper.high, lower.low, comparison.budget)?;
    Ok(match comparison.sign(width)? {
        Some(Ordering::Greater) => Some(Value::Interval(Interval {
            low: lower.low,
            low_open: lower.low_open,
            high: upper.high,
            high_open: upper.high_open,
        })),
        _ => None,
    })
}
