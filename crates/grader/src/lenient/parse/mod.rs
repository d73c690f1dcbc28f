//! The grammar of answers. From loose to tight: lists, relations, unions, sums, products, signs, powers, atoms.

mod atoms;
mod brackets;
mod functions;
mod lexer;
mod lists;
mod macros;
mod matrix;
mod terms;
mod token;

use self::token::{Token, TokenKind};
use super::value::Value;
use crate::algebra::{Arena, Id};
use crate::{Budget, Refusal};

/// Reads a cleaned text. `None` if it is no answer of this grammar.
pub(super) fn parse(text: &str, arena: &mut Arena, budget: &mut Budget) -> Result<Option<Value>, Refusal> {
    match read(text, arena, budget) {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Syntax) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}

fn read(text: &str, arena: &mut Arena, budget: &mut Budget) -> Parsed<Value> {
    let tokens = lexer::tokens(text, budget)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, bars: 0, arena, budget };
    let value = parser.answer()?;
    if parser.at == tokens.len() { Ok(value) } else { Err(Stop::Syntax) }
}

/// Why parsing ended early.
enum Stop {
    /// The text is not of this grammar.
    Syntax,
    /// A limit was reached.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type Parsed<T> = Result<T, Stop>;

/// Recursive descent; every recursion passes [`Parser::nested`].
struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    /// How many `|…|` are open: inside one a bar closes it.
    bars: u32,
    arena: &'a mut Arena,
    budget: &'a mut Budget,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a TokenKind<'a>> {
        self.peek_at(0)
    }

    fn peek_at(&self, offset: usize) -> Option<&'a TokenKind<'a>> {
        self.tokens.get(self.at + offset).map(|token| &token.kind)
    }

    /// Takes the next token if it is `kind`.
    fn eat(&mut self, kind: &TokenKind<'_>) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, kind: &TokenKind<'_>) -> Parsed<()> {
        if self.eat(kind) { Ok(()) } else { Err(Stop::Syntax) }
    }

    /// Goes one level deeper for `read`.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.budget.enter()?;
        let result = read(self);
        self.budget.leave();
        result
    }
}

/// Only an expression can be part of one.
fn expression(value: &Value) -> Parsed<Id> {
    value.expression().ok_or(Stop::Syntax)
}
