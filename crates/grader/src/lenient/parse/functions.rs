//! Calls of functions.

use super::token::{Bracket, TokenKind};
use super::{Parsed, Parser, Stop, expression};
use crate::algebra::{Func, Id, Node, Rational};
use crate::lenient::value::Value;

impl Parser<'_> {
    /// What follows the name of a function: base and power in either order, and an argument with or without parentheses.
    pub(super) fn call(&mut self, func: Func) -> Parsed<Id> {
        let (mut base, mut power) = (None, None);
        loop {
            if base.is_none() && func == Func::Log && self.eat(&TokenKind::Underscore) {
                base = Some(expression(&self.atom()?)?);
            } else if power.is_none() && self.eat(&TokenKind::Caret) {
                power = Some(self.exponent()?.ok_or(Stop::Syntax)?);
            } else {
                break;
            }
        }
        let mut args = self.arguments(func)?;
        let is_inverse = |id: Id, parser: &Self| is_minus_one(parser, id);
        let func = match inverse(func) {
            Some(inverse) if power.is_some_and(|power| is_inverse(power, self)) => {
                power = None;
                inverse
            }
            _ => func,
        };
        if func == Func::Log {
            args.push(match base {
                Some(base) => base,
                None => self.arena.number(Rational::integer(10), self.budget)?,
            });
        }
        let call = self.arena.call(func, args, self.budget)?;
        match power {
            Some(power) => Ok(self.arena.pow(call, power, self.budget)?),
            None => Ok(call),
        }
    }

    fn arguments(&mut self, func: Func) -> Parsed<Vec<Id>> {
        let Some(TokenKind::Open(Bracket::Round)) = self.peek() else { return Ok(vec![self.argument()?]) };
        match (self.bracket(Bracket::Round)?, func) {
            (Value::Expression(id), _) => Ok(vec![id]),
            (Value::Tuple(items), Func::Min | Func::Max | Func::Gcd) => items.iter().map(expression).collect(),
            // Two rising numbers in parentheses.
            (Value::Interval(ends), Func::Min | Func::Max | Func::Gcd) => Ok(vec![ends.low, ends.high]),
            _ => Err(Stop::Syntax),
        }
    }
}

fn is_minus_one(parser: &Parser<'_>, id: Id) -> bool {
    let is = |id: Id, value: Rational| matches!(parser.arena.node(id), Node::Number(number) if *number == value);
    match parser.arena.node(id) {
        Node::Mul(factors) => {
            matches!(factors[..], [sign, one] if is(sign, Rational::MINUS_ONE) && is(one, Rational::ONE))
        }
        _ => is(id, Rational::MINUS_ONE),
    }
}

/// The function that `f^{-1}` names.
fn inverse(func: Func) -> Option<Func> {
    Some(match func {
        Func::Sin => Func::Arcsin,
        Func::Cos => Func::Arccos,
        Func::Tan => Func::Arctan,
        Func::Sinh => Func::Arsinh,
        Func::Cosh => Func::Arcosh,
        Func::Tanh => Func::Artanh,
        _ => return None,
    })
}
