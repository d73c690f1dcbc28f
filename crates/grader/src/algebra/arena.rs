//! Expressions as nodes by index. Constructors keep the tree as it was written (order of factors, decimal literals); the
//! canonical form is made from it on demand.

use std::collections::HashMap;

use super::forms::Forms;
use super::number::Rational;
use crate::{Budget, Refusal};

/// A node of one [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u32);

impl Id {
    /// The place of the node: children have smaller ones.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A symbol of one [`Arena`]; equal names are equal symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(pub(super) u32);

/// Functions. With one argument unless said otherwise; a call with another number of arguments is undefined, equal to nothing
/// but itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Func {
    Ln,
    /// `Log(x, base)`.
    Log,
    Exp,
    Sqrt,
    /// `Root(x, n)`, the principal n-th root.
    Root,
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Arcsin,
    Arccos,
    Arctan,
    Sinh,
    Cosh,
    Tanh,
    Arsinh,
    Arcosh,
    Artanh,
    Abs,
    Re,
    Im,
    Floor,
    Ceil,
    Factorial,
    /// `Binomial(n, k)`.
    Binomial,
    /// Of one argument or more.
    Min,
    /// Of one argument or more.
    Max,
    /// Of one argument or more.
    Gcd,
}

impl Func {
    /// Takes any number of arguments from one.
    pub fn is_variadic(self) -> bool {
        matches!(self, Self::Min | Self::Max | Self::Gcd)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Number(Rational),
    /// A decimal literal: its exact value, and how many significant digits were written.
    Decimal(Rational, u32),
    Symbol(Symbol),
    Pi,
    /// Euler's number.
    E,
    /// The imaginary unit.
    I,
    /// Positive infinity. Arithmetic with it is opaque.
    Infinity,
    Add(Box<[Id]>),
    Mul(Box<[Id]>),
    Pow(Id, Id),
    Call(Func, Box<[Id]>),
}

/// The expressions of one verdict. Ids of one arena mean nothing in another.
#[derive(Debug)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
    /// Height of the tree below each node; bounds every recursion over it.
    heights: Vec<u32>,
    /// Whether a decimal literal occurs in the tree of each node.
    decimals: Vec<bool>,
    symbols: Vec<Box<str>>,
    by_name: HashMap<Box<str>, Symbol>,
    real_symbols: bool,
    exact: Forms,
    doubles: Forms,
}

impl Arena {
    /// An arena whose symbols stand for complex numbers.
    pub fn new() -> Self {
        Self {
            nodes: Vec::new(),
            heights: Vec::new(),
            decimals: Vec::new(),
            symbols: Vec::new(),
            by_name: HashMap::new(),
            real_symbols: false,
            exact: Forms::new(false),
            doubles: Forms::new(true),
        }
    }

    /// An arena whose symbols stand for real numbers: `sqrt(x²) = |x|`.
    pub fn with_real_symbols() -> Self {
        Self { real_symbols: true, ..Self::new() }
    }

    /// The nodes, and their canonical forms.
    pub(super) fn exact_forms(&mut self) -> (&[Node], &mut Forms) {
        (&self.nodes, &mut self.exact)
    }

    /// The nodes, and their canonical forms with decimal literals as doubles.
    pub(super) fn double_forms(&mut self) -> (&[Node], &mut Forms) {
        (&self.nodes, &mut self.doubles)
    }

    pub fn has_real_symbols(&self) -> bool {
        self.real_symbols
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    /// Whether a decimal literal occurs in the expression.
    pub fn has_decimal(&self, id: Id) -> bool {
        self.decimals[id.index()]
    }

    /// The first `count` nodes, in the order they were made.
    pub fn ids_below(&self, count: usize) -> impl DoubleEndedIterator<Item = Id> + use<> {
        // Ids are made from `u32`, so the count fits.
        (0..count.min(self.nodes.len()) as u32).map(Id)
    }

    /// The name a symbol was made with.
    pub fn name(&self, symbol: Symbol) -> &str {
        &self.symbols[symbol.0 as usize]
    }

    pub fn number(&mut self, value: Rational, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::Number(value), budget)
    }

    /// An integer literal: ASCII digits. `None` if the text is anything else.
    pub fn integer(&mut self, text: &str, budget: &mut Budget) -> Result<Option<Id>, Refusal> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let value = Rational::parse(text, budget)?;
        value.map(|value| self.number(value, budget)).transpose()
    }

    /// A decimal literal such as `0.50`, `.5`, `3.` or `2.5e-3`, kept exactly. `None` if the text is anything else.
    pub fn decimal(&mut self, text: &str, budget: &mut Budget) -> Result<Option<Id>, Refusal> {
        let Some(value) = Rational::parse(text, budget)? else { return Ok(None) };
        let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
        let digits = mantissa.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
        self.push(Node::Decimal(value, u32::try_from(digits).unwrap_or(u32::MAX)), budget).map(Some)
    }

    pub fn symbol(&mut self, name: &str, budget: &mut Budget) -> Result<Id, Refusal> {
        let symbol = match self.by_name.get(name) {
            Some(&symbol) => symbol,
            None => {
                // Symbols are nodes as well, so there are at most `limits.nodes` of them.
                let symbol = Symbol(self.symbols.len() as u32);
                self.symbols.push(name.into());
                self.by_name.insert(name.into(), symbol);
                symbol
            }
        };
        self.push(Node::Symbol(symbol), budget)
    }

    pub fn pi(&mut self, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::Pi, budget)
    }

    pub fn e(&mut self, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::E, budget)
    }

    pub fn i(&mut self, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::I, budget)
    }

    pub fn infinity(&mut self, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::Infinity, budget)
    }

    /// The sum; zero for no terms.
    pub fn add(&mut self, terms: Vec<Id>, budget: &mut Budget) -> Result<Id, Refusal> {
        match terms[..] {
            [only] => Ok(only),
            _ => self.push(Node::Add(terms.into()), budget),
        }
    }

    /// The product; one for no factors.
    pub fn mul(&mut self, factors: Vec<Id>, budget: &mut Budget) -> Result<Id, Refusal> {
        match factors[..] {
            [only] => Ok(only),
            _ => self.push(Node::Mul(factors.into()), budget),
        }
    }

    pub fn pow(&mut self, base: Id, exponent: Id, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::Pow(base, exponent), budget)
    }

    /// `-a`, as `(-1)·a`.
    pub fn neg(&mut self, a: Id, budget: &mut Budget) -> Result<Id, Refusal> {
        let minus = self.number(Rational::MINUS_ONE, budget)?;
        self.mul(vec![minus, a], budget)
    }

    /// `a - b`, as `a + (-1)·b`.
    pub fn sub(&mut self, a: Id, b: Id, budget: &mut Budget) -> Result<Id, Refusal> {
        let b = self.neg(b, budget)?;
        self.add(vec![a, b], budget)
    }

    /// `a / b`, as `a·b^-1`.
    pub fn div(&mut self, a: Id, b: Id, budget: &mut Budget) -> Result<Id, Refusal> {
        let minus = self.number(Rational::MINUS_ONE, budget)?;
        let b = self.pow(b, minus, budget)?;
        self.mul(vec![a, b], budget)
    }

    pub fn call(&mut self, func: Func, args: Vec<Id>, budget: &mut Budget) -> Result<Id, Refusal> {
        self.push(Node::Call(func, args.into()), budget)
    }

    fn push(&mut self, node: Node, budget: &mut Budget) -> Result<Id, Refusal> {
        budget.node()?;
        budget.step(2 * node.children().count())?;
        let height = 1 + node.children().map(|child| self.heights[child.index()]).max().unwrap_or(0);
        if height > budget.limits().depth {
            return Err(Refusal::Size);
        }
        let id = Id(u32::try_from(self.nodes.len()).map_err(|_| Refusal::Size)?);
        let decimal = matches!(node, Node::Decimal(..)) || node.children().any(|child| self.decimals[child.index()]);
        self.decimals.push(decimal);
        self.nodes.push(node);
        self.heights.push(height);
        Ok(id)
    }
}

impl Node {
    /// The nodes directly below, in order.
    pub fn children(&self) -> impl Iterator<Item = Id> + '_ {
        let (pair, list): ([Option<Id>; 2], &[Id]) = match self {
            Node::Add(list) | Node::Mul(list) | Node::Call(_, list) => ([None; 2], list),
            Node::Pow(base, exponent) => ([Some(*base), Some(*exponent)], &[]),
            _ => ([None; 2], &[]),
        };
        pair.into_iter().flatten().chain(list.iter().copied())
    }
}
