//! Numbers, names, fractions, roots and what stands in brackets.

use super::token::{Bracket, TokenKind};
use super::{Parsed, Parser, Stop, expression};
use crate::algebra::{Func, Id};
use crate::budget::cost;
use crate::lenient::value::Value;

impl Parser<'_> {
    pub(super) fn atom(&mut self) -> Parsed<Value> {
        self.nested(|parser| parser.one_atom())
    }

    fn one_atom(&mut self) -> Parsed<Value> {
        let Some(kind) = self.peek() else { return Err(Stop::Syntax) };
        if let TokenKind::Open(bracket) = kind {
            return self.bracket(*bracket);
        }
        self.at += 1;
        let id = match kind {
            TokenKind::Integer(digits) => {
                let number = self.arena.integer(digits, self.budget)?.ok_or(Stop::Syntax)?;
                self.drop_number_base()?;
                number
            }
            TokenKind::Decimal(text) => self.arena.decimal(text, self.budget)?.ok_or(Stop::Syntax)?,
            TokenKind::Symbol(name) => return self.named(name),
            TokenKind::Pi => self.arena.pi(self.budget)?,
            TokenKind::Euler if self.peek() == Some(&TokenKind::Underscore) => return self.named("e"),
            TokenKind::Euler => self.arena.e(self.budget)?,
            TokenKind::Imaginary if self.peek() == Some(&TokenKind::Underscore) => return self.named("i"),
            TokenKind::Imaginary => self.arena.i(self.budget)?,
            TokenKind::Infinity => self.arena.infinity(self.budget)?,
            TokenKind::EmptySet => return Ok(Value::Set(Vec::new())),
            TokenKind::Frac => {
                let (top, bottom) = (self.braced()?, self.braced()?);
                let bottom = self.inverse(bottom)?;
                self.arena.mul(vec![top, bottom], self.budget)?
            }
            TokenKind::Binom => {
                let args = vec![self.braced()?, self.braced()?];
                self.arena.call(Func::Binomial, args, self.budget)?
            }
            TokenKind::Sqrt => self.root()?,
            TokenKind::Bar => {
                self.bars += 1;
                let inside = self.expression()?;
                self.bars -= 1;
                self.expect(&TokenKind::Bar)?;
                self.arena.call(Func::Abs, vec![inside], self.budget)?
            }
            TokenKind::Func(func) => self.call(*func)?,
            TokenKind::Begin(name) => return self.matrix(name),
            _ => return Err(Stop::Syntax),
        };
        Ok(Value::Expression(id))
    }

    /// The argument of a macro: a group, or one token without braces.
    fn braced(&mut self) -> Parsed<Id> {
        expression(&self.atom()?)
    }

    fn root(&mut self) -> Parsed<Id> {
        let degree = if self.eat(&TokenKind::Open(Bracket::Square)) {
            let degree = self.expression()?;
            self.expect(&TokenKind::Close(Bracket::Square))?;
            Some(degree)
        } else {
            None
        };
        let inside = self.braced()?;
        Ok(match degree {
            Some(degree) => self.arena.call(Func::Root, vec![inside, degree], self.budget)?,
            None => self.arena.call(Func::Sqrt, vec![inside], self.budget)?,
        })
    }

    /// A symbol with its subscript: `x_1` is one symbol.
    fn named(&mut self, name: &str) -> Parsed<Value> {
        let subscript = self.subscript()?;
        let id = match subscript {
            Some(subscript) => self.arena.symbol(&format!("{name}_{subscript}"), self.budget)?,
            None => self.arena.symbol(name, self.budget)?,
        };
        Ok(Value::Expression(id))
    }

    /// The base of a numeral, `101_2`, does not change its value here.
    fn drop_number_base(&mut self) -> Parsed<()> {
        self.subscript().map(drop)
    }

    /// The text of a subscript, without braces, spaces and style.
    fn subscript(&mut self) -> Parsed<Option<String>> {
        if !self.eat(&TokenKind::Underscore) {
            return Ok(None);
        }
        self.budget.step(4 * cost::ALLOCATION)?;
        let first = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek().ok_or(Stop::Syntax)? {
                TokenKind::Open(_) => open += 1,
                TokenKind::Close(_) if open == 0 => return Err(Stop::Syntax),
                TokenKind::Close(_) => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        let text = &self.text[self.tokens[first].start..self.tokens[self.at - 1].end];
        let text = text.replace("\\text", "");
        Ok(Some(
            text.chars().filter(|c| !c.is_whitespace() && !"{}".contains(*c)).flat_map(char::to_lowercase).collect(),
        ))
    }
}
