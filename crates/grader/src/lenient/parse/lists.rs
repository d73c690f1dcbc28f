//! Lists, relations and unions.

use super::token::TokenKind;
use super::{Parsed, Parser, Stop};
use crate::budget::cost;
use crate::lenient::value::{Chain, Relation, Value, is_symbols};

/// Items between commas, in groups between semicolons.
pub(super) type Groups = Vec<Vec<Value>>;

impl Parser<'_> {
    /// A whole answer: one value, or a bare list, which is a set.
    pub(super) fn answer(&mut self) -> Parsed<Value> {
        Ok(bare(self.groups()?, self))
    }

    pub(super) fn groups(&mut self) -> Parsed<Groups> {
        let mut groups = vec![Vec::new()];
        loop {
            let mut items = self.element()?;
            groups.last_mut().ok_or(Stop::Syntax)?.append(&mut items);
            if self.eat(&TokenKind::Semicolon) {
                groups.push(Vec::new());
            } else if !self.eat(&TokenKind::Comma) {
                return Ok(groups);
            }
        }
    }

    /// One item of a list: a relation or a value; `a ± b` counts as two.
    pub(super) fn element(&mut self) -> Parsed<Vec<Value>> {
        self.budget.step(3 * cost::ALLOCATION)?;
        if self.eat(&TokenKind::Approx) {
            return self.operand();
        }
        let mut first = self.operand()?;
        let mut sides = Vec::new();
        let mut relations = Vec::new();
        loop {
            if self.eat(&TokenKind::Approx) {
                // What was rounded counts, unless it is only a name for the number.
                let right = self.operand()?;
                let is_name = |value: &Value| value.expression().is_some_and(|id| is_symbols(self.arena, id));
                if relations.is_empty() && first.len() == 1 && first.iter().all(is_name) {
                    first = right;
                }
                continue;
            }
            let Some(relation) = self.relation() else { break };
            sides.push(single(std::mem::replace(&mut first, self.operand()?)));
            relations.push(relation);
        }
        if relations.is_empty() {
            return Ok(first);
        }
        sides.push(single(first));
        Ok(vec![Value::Relation(Chain { sides, relations })])
    }

    /// The sign of a relation, perhaps with the column marks of an aligned one beside it.
    fn relation(&mut self) -> Option<Relation> {
        let before = usize::from(self.peek() == Some(&TokenKind::Ampersand));
        let Some(TokenKind::Relation(relation)) = self.peek_at(before) else { return None };
        self.at += before + 1;
        self.eat(&TokenKind::Ampersand);
        Some(*relation)
    }

    /// A side of a relation.
    fn operand(&mut self) -> Parsed<Vec<Value>> {
        let mut left = self.sum()?;
        while let Some(operator @ (TokenKind::Union | TokenKind::Intersection | TokenKind::Difference)) = self.peek() {
            self.at += 1;
            let right = single(self.sum()?);
            left = vec![combine(operator, single(left), right)?];
        }
        Ok(left)
    }
}

/// The value of a list without brackets or in braces that are not printed.
pub(super) fn bare(mut groups: Groups, parser: &Parser<'_>) -> Value {
    if groups.iter().all(|items| items.len() == 1) {
        return single(groups.into_iter().flatten().collect());
    }
    match (groups.len(), groups.pop()) {
        (1, Some(items)) => solutions(items, parser),
        (_, last) => Value::Set(groups.into_iter().chain(last).map(Value::Tuple).collect()),
    }
}

/// `x = 1, 2` says that x is one of the two; `x = 1, y = 2` are two equations.
fn solutions(mut items: Vec<Value>, parser: &Parser<'_>) -> Value {
    let others_are_values = items.iter().skip(1).all(|item| !matches!(item, Value::Relation(_)));
    match &mut items[0] {
        first @ Value::Relation(_) if others_are_values && first.is_assignment(parser.arena) => {
            let Value::Relation(chain) = first else { return Value::Set(items) };
            let (Some(name), [Relation::Eq]) = (chain.sides.first().cloned(), &chain.relations[..]) else {
                return Value::Set(items);
            };
            let value = chain.sides.pop().into_iter().chain(items.drain(1..)).collect();
            Value::Relation(Chain { sides: vec![name, Value::Set(value)], relations: vec![Relation::Eq] })
        }
        _ => Value::Set(items),
    }
}

/// One value as it is, several as a set.
pub(super) fn single(mut values: Vec<Value>) -> Value {
    match (values.len(), values.pop()) {
        (1, Some(only)) => only,
        (_, last) => Value::Set(values.into_iter().chain(last).collect()),
    }
}

fn combine(operator: &TokenKind<'_>, left: Value, right: Value) -> Parsed<Value> {
    if !left.is_collection() || !right.is_collection() {
        return Err(Stop::Syntax);
    }
    Ok(match (operator, left, right) {
        (TokenKind::Union, Value::Set(mut left), Value::Set(right)) => {
            left.extend(right);
            Value::Set(left)
        }
        (TokenKind::Union, Value::Union(mut parts), part) => {
            parts.push(part);
            Value::Union(parts)
        }
        (TokenKind::Union, left, right) => Value::Union(vec![left, right]),
        (TokenKind::Intersection, Value::Intersection(mut parts), part) => {
            parts.push(part);
            Value::Intersection(parts)
        }
        (TokenKind::Intersection, left, right) => Value::Intersection(vec![left, right]),
        (_, left, right) => Value::Difference(Box::new([left, right])),
    })
}
