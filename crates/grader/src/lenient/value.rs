//! What an answer can be.

use crate::algebra::{Arena, Id, Node, Rational, Symbol};

/// The value of an answer. Parts of expressions live in the arena of the verdict.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Expression(Id),
    /// In the order written. Its items may repeat.
    Set(Vec<Value>),
    Tuple(Vec<Value>),
    Interval(Interval),
    Union(Vec<Value>),
    Intersection(Vec<Value>),
    /// What is in the first but not in the second.
    Difference(Box<[Value; 2]>),
    Matrix(Matrix),
    Relation(Chain),
}

/// From `low` to `high`, with `low < high`; an infinite end is open.
#[derive(Debug, Clone)]
pub(super) struct Interval {
    pub low: Id,
    pub high: Id,
    pub low_open: bool,
    pub high_open: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Matrix {
    pub columns: usize,
    /// By rows.
    pub items: Vec<Id>,
}

/// `sides[0] relations[0] sides[1] relations[1] …`, with at least one relation.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub sides: Vec<Value>,
    pub relations: Vec<Relation>,
}

/// Membership counts as equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Relation {
    /// The relation of the sides exchanged.
    pub fn turned(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }
}

impl Value {
    /// A number or term, not a collection or relation.
    pub fn expression(&self) -> Option<Id> {
        match self {
            Self::Expression(id) => Some(*id),
            _ => None,
        }
    }

    /// Something that has members.
    pub fn is_collection(&self) -> bool {
        !matches!(self, Self::Expression(_) | Self::Matrix(_) | Self::Relation(_))
    }

    /// One equation, or a chain of them.
    pub fn is_equation(&self) -> bool {
        matches!(self, Self::Relation(chain) if chain.relations.iter().all(|relation| *relation == Relation::Eq))
    }

    /// An equation, or a chain of them, whose first side is made of symbols alone: `x`, `PQ`, `(x, y)`.
    pub fn is_assignment(&self, arena: &Arena) -> bool {
        self.is_equation() && matches!(self, Self::Relation(chain) if chain.sides[0].is_symbols(arena))
    }

    /// What a value is said of: symbols alone, or a function of something.
    pub fn is_name(&self, arena: &Arena) -> bool {
        let is_call = |id: Id| matches!(arena.node(id), Node::Call(..)) && has_symbols(arena, id);
        self.is_symbols(arena) || self.expression().is_some_and(is_call)
    }

    fn is_symbols(&self, arena: &Arena) -> bool {
        match self {
            Self::Expression(id) => is_symbols(arena, *id),
            Self::Tuple(items) => items.iter().all(|item| item.is_symbols(arena)),
            _ => false,
        }
    }
}

/// Made of symbols by sums, products and quotients: `x`, `PQ`, and `DE` and `BI` with their Euler's number and imaginary unit.
pub(super) fn is_symbols(arena: &Arena, id: Id) -> bool {
    letters(arena, id) == Some(true)
}

/// Whether what is made of letters alone has a symbol in it. The recursion is bounded by the height of the arena's trees.
fn letters(arena: &Arena, id: Id) -> Option<bool> {
    match arena.node(id) {
        Node::Symbol(_) => Some(true),
        Node::E | Node::I => Some(false),
        Node::Pow(base, exponent) => match arena.node(*exponent) {
            Node::Number(value) if *value == Rational::MINUS_ONE => letters(arena, *base),
            _ => None,
        },
        Node::Add(items) => items.iter().all(|item| letters(arena, *item) == Some(true)).then_some(true),
        Node::Mul(items) => items.iter().try_fold(false, |found, item| Some(letters(arena, *item)? || found)),
        _ => None,
    }
}

pub(super) fn has_symbols(arena: &Arena, id: Id) -> bool {
    let node = arena.node(id);
    matches!(node, Node::Symbol(_)) || node.children().any(|child| has_symbols(arena, child))
}

/// The letters of a symbol or a product of symbols, in the order written.
pub(super) fn spelling(arena: &Arena, id: Id) -> Option<String> {
    let letter = |id: Id| match arena.node(id) {
        Node::Symbol(symbol) => Some(arena.name(*symbol)),
        Node::E => Some("e"),
        Node::I => Some("i"),
        _ => None,
    };
    match arena.node(id) {
        Node::Mul(items) => items.iter().map(|item| letter(*item)).collect(),
        _ => letter(id).map(str::to_owned),
    }
}

/// The sign of an infinity.
pub(super) fn infinite(arena: &Arena, id: Id) -> Option<bool> {
    match arena.node(id) {
        Node::Infinity => Some(true),
        Node::Mul(items) => match items[..] {
            [sign, infinity] if *arena.node(infinity) == Node::Infinity => {
                matches!(arena.node(sign), Node::Number(value) if value.is_negative()).then_some(false)
            }
            _ => None,
        },
        _ => None,
    }
}

/// A decimal literal, its negative, or a percentage of one.
pub(super) fn is_decimal(arena: &Arena, id: Id) -> bool {
    match arena.node(id) {
        Node::Decimal(..) => true,
        Node::Mul(items) => {
            let is_scale = |item: Id| match arena.node(item) {
                Node::Number(value) => *value == Rational::MINUS_ONE,
                Node::Pow(base, _) => {
                    matches!(arena.node(*base), Node::Number(value) if *value == Rational::integer(100))
                }
                _ => false,
            };
            let mut decimals = 0;
            for item in items {
                if is_decimal(arena, *item) {
                    decimals += 1;
                } else if !is_scale(*item) {
                    return false;
                }
            }
            decimals == 1
        }
        _ => false,
    }
}

/// Adds the symbols that occur, without repeats.
pub(super) fn symbols(arena: &Arena, id: Id, found: &mut Vec<Symbol>) {
    match arena.node(id) {
        Node::Symbol(symbol) if !found.contains(symbol) => found.push(*symbol),
        node => node.children().for_each(|child| symbols(arena, child, found)),
    }
}
