//! What stands in brackets: a group, a set, a tuple, an interval, or the argument of an absolute value, floor or ceiling.

use std::cmp::Ordering;

use super::lists::{self, Groups};
use super::token::{Bracket, TokenKind};
use super::{Parsed, Parser, Stop, expression};
use crate::algebra::{self, Func, Id};
use crate::lenient::value::{Interval, Value, infinite};

impl Parser<'_> {
    /// Reads from the opening bracket to the closing one.
    pub(super) fn bracket(&mut self, open: Bracket) -> Parsed<Value> {
        self.at += 1;
        let bars = std::mem::take(&mut self.bars);
        if open == Bracket::Set && self.eat(&TokenKind::Close(Bracket::Set)) {
            self.bars = bars;
            return Ok(Value::Set(Vec::new()));
        }
        let is_system = open == Bracket::Set && matches!(self.peek(), Some(TokenKind::Begin(_)));
        let groups = self.groups()?;
        // `\left\{ … \right.`: a system of equations has a brace on its left alone.
        if is_system && self.peek().is_none() {
            return Ok(lists::bare(groups, self));
        }
        let Some(TokenKind::Close(close)) = self.peek() else { return Err(Stop::Syntax) };
        self.at += 1;
        self.bars = bars;
        match (open, *close) {
            (Bracket::Group, Bracket::Group) => Ok(lists::bare(groups, self)),
            (Bracket::Set, Bracket::Set) => Ok(Value::Set(groups.into_iter().flatten().collect())),
            (Bracket::Angle, Bracket::Angle) => Ok(tuple(groups)),
            (Bracket::Round | Bracket::Square, Bracket::Round | Bracket::Square) => self.interval(open, *close, groups),
            (Bracket::Abs, Bracket::Abs) => self.around(Func::Abs, groups),
            (Bracket::Floor, Bracket::Floor) => self.around(Func::Floor, groups),
            (Bracket::Ceil, Bracket::Ceil) => self.around(Func::Ceil, groups),
            _ => Err(Stop::Syntax),
        }
    }

    fn around(&mut self, func: Func, groups: Groups) -> Parsed<Value> {
        let inside = expression(&tuple(groups))?;
        Ok(Value::Expression(self.arena.call(func, vec![inside], self.budget)?))
    }

    /// Two numbers in rising order are the ends of an interval; other brackets around a list make a tuple, around one value a group.
    fn interval(&mut self, open: Bracket, close: Bracket, groups: Groups) -> Parsed<Value> {
        if let [items] = &groups[..]
            && let [Value::Expression(low), Value::Expression(high)] = items[..]
        {
            return Ok(if self.rises(low, high)? {
                Value::Interval(Interval {
                    low,
                    high,
                    low_open: open == Bracket::Round || infinite(self.arena, low).is_some(),
                    high_open: close == Bracket::Round || infinite(self.arena, high).is_some(),
                })
            } else {
                tuple(groups)
            });
        }
        if open == close { Ok(tuple(groups)) } else { Err(Stop::Syntax) }
    }

    /// Whether both are real numbers and the first is smaller. Infinite ends are beyond every number.
    fn rises(&mut self, low: Id, high: Id) -> Parsed<bool> {
        match (infinite(self.arena, low), infinite(self.arena, high)) {
            (Some(low), Some(high)) => return Ok(!low && high),
            (Some(low), None) => return Ok(!low && algebra::value(self.arena, high, self.budget)?.is_some()),
            (None, Some(high)) => return Ok(high && algebra::value(self.arena, low, self.budget)?.is_some()),
            (None, None) => {}
        }
        let Some(low) = algebra::value(self.arena, low, self.budget)? else { return Ok(false) };
        let Some(high) = algebra::value(self.arena, high, self.budget)? else { return Ok(false) };
        Ok(low.compare(&high, self.budget)? == Some(Ordering::Less))
    }
}

/// A tuple of all items; one item alone stays itself.
fn tuple(groups: Groups) -> Value {
    let mut items: Vec<Value> = groups.into_iter().flatten().collect();
    match (items.len(), items.pop()) {
        (1, Some(only)) => only,
        (_, last) => Value::Tuple(items.into_iter().chain(last).collect()),
    }
}
