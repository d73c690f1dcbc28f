//! Sums, products, signs and powers.

use super::token::{Bracket, TokenKind};
use super::{Parsed, Parser, Stop, expression};
use crate::algebra::{Func, Id, Node, Rational};
use crate::lenient::value::Value;

/// What a product may run into.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    /// Every factor.
    Full,
    /// Up to the next function: the argument of `\sin 2x\cos x` is `2x`.
    Argument,
}

impl Parser<'_> {
    /// A sum; two values if a `±` occurs in it.
    pub(super) fn sum(&mut self) -> Parsed<Vec<Value>> {
        self.nested(|parser| parser.terms())
    }

    /// A sum that must be one expression.
    pub(super) fn expression(&mut self) -> Parsed<Id> {
        match &self.sum()?[..] {
            [only] => expression(only),
            _ => Err(Stop::Syntax),
        }
    }

    fn terms(&mut self) -> Parsed<Vec<Value>> {
        let mut terms = Vec::new();
        let mut either = None;
        if self.peek() != Some(&TokenKind::PlusMinus) {
            let first = self.product(Extent::Full)?;
            if !matches!(self.peek(), Some(TokenKind::Plus | TokenKind::Minus | TokenKind::PlusMinus)) {
                return Ok(vec![first]);
            }
            terms.push(expression(&first)?);
        }
        while let Some(sign @ (TokenKind::Plus | TokenKind::Minus | TokenKind::PlusMinus)) = self.peek() {
            self.at += 1;
            let term = expression(&self.product(Extent::Full)?)?;
            match sign {
                TokenKind::Plus => terms.push(term),
                TokenKind::Minus => terms.push(self.negative(term)?),
                _ if either.is_none() => either = Some(term),
                _ => return Err(Stop::Syntax),
            }
        }
        let Some(either) = either else {
            return Ok(vec![Value::Expression(self.arena.add(terms, self.budget)?)]);
        };
        let minus = self.negative(either)?;
        let mut values = Vec::new();
        for last in [minus, either] {
            let terms = terms.iter().copied().chain([last]).collect();
            values.push(Value::Expression(self.arena.add(terms, self.budget)?));
        }
        Ok(values)
    }

    /// The argument of a function without parentheses.
    pub(super) fn argument(&mut self) -> Parsed<Id> {
        self.nested(|parser| expression(&parser.product(Extent::Argument)?))
    }

    fn product(&mut self, extent: Extent) -> Parsed<Value> {
        let first = self.signed(extent)?;
        let mut factors = Vec::new();
        while let Some(operator @ (TokenKind::Times | TokenKind::Divide)) = self.peek() {
            if extent == Extent::Argument && matches!(self.peek_at(1), Some(TokenKind::Func(_))) {
                break;
            }
            self.at += 1;
            if factors.is_empty() {
                factors.push(expression(&first)?);
            }
            let factor = expression(&self.signed(extent)?)?;
            factors.push(match operator {
                TokenKind::Times => factor,
                _ => self.inverse(factor)?,
            });
        }
        if factors.is_empty() { Ok(first) } else { Ok(Value::Expression(self.arena.mul(factors, self.budget)?)) }
    }

    fn signed(&mut self, extent: Extent) -> Parsed<Value> {
        let mut negative = false;
        while let Some(sign @ (TokenKind::Plus | TokenKind::Minus)) = self.peek() {
            self.at += 1;
            negative ^= *sign == TokenKind::Minus;
        }
        let value = self.factors(extent)?;
        if !negative {
            return Ok(value);
        }
        let id = expression(&value)?;
        Ok(Value::Expression(self.negative(id)?))
    }

    /// Factors side by side.
    fn factors(&mut self, extent: Extent) -> Parsed<Value> {
        let start = self.at;
        let first = self.postfixed()?;
        if !self.factor_follows(extent) {
            return Ok(first);
        }
        let mut factors = vec![expression(&first)?];
        let leading_integer = self.at == start + 1 && matches!(self.tokens[start].kind, TokenKind::Integer(_));
        while self.factor_follows(extent) {
            let is_number =
                |kind: Option<&TokenKind<'_>>| matches!(kind, Some(TokenKind::Integer(_) | TokenKind::Decimal(_)));
            if is_number(self.peek()) && is_number(self.tokens.get(self.at - 1).map(|token| &token.kind)) {
                // `1 250` and `4 1/5` are numbers written another way, not products.
                return Err(Stop::Syntax);
            }
            let may_be_mixed = leading_integer && factors.len() == 1 && self.peek() == Some(&TokenKind::Frac);
            let factor = expression(&self.postfixed()?)?;
            if may_be_mixed && self.is_fraction(factor) {
                factors[0] = self.arena.add(vec![factors[0], factor], self.budget)?;
            } else {
                factors.push(factor);
            }
        }
        Ok(Value::Expression(self.arena.mul(factors, self.budget)?))
    }

    /// Integer over integer, as `\frac` makes it.
    fn is_fraction(&self, id: Id) -> bool {
        let is_integer = |id: Id| matches!(self.arena.node(id), Node::Number(_));
        match self.arena.node(id) {
            Node::Mul(parts) => match parts[..] {
                [top, inverse] => {
                    is_integer(top) && matches!(self.arena.node(inverse), Node::Pow(bottom, _) if is_integer(*bottom))
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn factor_follows(&self, extent: Extent) -> bool {
        use TokenKind as T;
        match self.peek() {
            Some(T::Func(_)) => extent == Extent::Full,
            Some(T::Bar) => self.bars == 0,
            Some(
                T::Integer(_)
                | T::Decimal(_)
                | T::Symbol(_)
                | T::Pi
                | T::Euler
                | T::Imaginary
                | T::Infinity
                | T::Frac
                | T::Sqrt
                | T::Binom
                | T::Open(_),
            ) => true,
            _ => false,
        }
    }

    fn postfixed(&mut self) -> Parsed<Value> {
        let mut value = self.power()?;
        while let Some(mark @ (TokenKind::Bang | TokenKind::Percent | TokenKind::Degree)) = self.peek() {
            self.at += 1;
            let id = expression(&value)?;
            value = Value::Expression(match mark {
                TokenKind::Bang => self.arena.call(Func::Factorial, vec![id], self.budget)?,
                TokenKind::Percent => {
                    let hundred = self.arena.number(Rational::integer(100), self.budget)?;
                    self.arena.div(id, hundred, self.budget)?
                }
                _ => id,
            });
        }
        Ok(value)
    }

    fn power(&mut self) -> Parsed<Value> {
        let mut value = self.atom()?;
        loop {
            let exponent = if self.eat(&TokenKind::Caret) {
                self.exponent()?
            } else if self.eat(&TokenKind::DoubleStar) {
                let negative = self.eat(&TokenKind::Minus);
                let exponent = expression(&self.atom()?)?;
                Some(if negative { self.negative(exponent)? } else { exponent })
            } else {
                return Ok(value);
            };
            if let Some(exponent) = exponent {
                value = Value::Expression(self.arena.pow(expression(&value)?, exponent, self.budget)?);
            }
        }
    }

    /// What follows `^`: one token or a group. `None` for a degree mark, which has no value.
    pub(super) fn exponent(&mut self) -> Parsed<Option<Id>> {
        let group = usize::from(self.peek() == Some(&TokenKind::Open(Bracket::Group)));
        if self.peek_at(group) == Some(&TokenKind::Degree) {
            self.at += 1 + group;
            if group > 0 {
                self.expect(&TokenKind::Close(Bracket::Group))?;
            }
            return Ok(None);
        }
        Ok(Some(expression(&self.atom()?)?))
    }

    fn negative(&mut self, id: Id) -> Parsed<Id> {
        Ok(self.arena.neg(id, self.budget)?)
    }

    pub(super) fn inverse(&mut self, id: Id) -> Parsed<Id> {
        let minus = self.arena.number(Rational::MINUS_ONE, self.budget)?;
        Ok(self.arena.pow(id, minus, self.budget)?)
    }
}
