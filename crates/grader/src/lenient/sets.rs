//! Sets, tuples, intervals and unions.

use std::borrow::Cow;

use super::compare::Comparison;
use super::value::{Interval, Value};
use crate::Refusal;

impl Comparison<'_> {
    /// At least one of the two is a collection; a single value counts as a set of one.
    pub fn same_collection(&mut self, gold: &Value, given: &Value) -> Result<bool, Refusal> {
        match (gold, given) {
            (Value::Interval(gold), Value::Interval(given)) => self.same_interval(gold, given),
            (Value::Union(gold), Value::Union(given)) | (Value::Intersection(gold), Value::Intersection(given)) => {
                self.in_any_order(gold, given)
            }
            (Value::Difference(gold), Value::Difference(given)) => self.in_order(&**gold, &**given),
            _ => {
                let (Some(gold_items), Some(given_items)) = (members(gold), members(given)) else { return Ok(false) };
                // The order of a gold tuple counts, whatever brackets the answer has.
                if matches!(gold, Value::Tuple(_) | Value::Interval(_)) {
                    self.in_order(&gold_items, &given_items)
                } else {
                    self.in_any_order(&gold_items, &given_items)
                }
            }
        }
    }

    fn same_interval(&mut self, gold: &Interval, given: &Interval) -> Result<bool, Refusal> {
        Ok((gold.low_open, gold.high_open) == (given.low_open, given.high_open)
            && self.same_expression(gold.low, given.low)?
            && self.same_expression(gold.high, given.high)?)
    }

    fn in_order(&mut self, gold: &[Value], given: &[Value]) -> Result<bool, Refusal> {
        if gold.len() != given.len() {
            return Ok(false);
        }
        for (gold, given) in gold.iter().zip(given) {
            if !self.same(gold, given)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn in_any_order(&mut self, gold: &[Value], given: &[Value]) -> Result<bool, Refusal> {
        if gold.len() == given.len() {
            return self.all_found(&gold.iter().collect::<Vec<_>>(), &given.iter().collect::<Vec<_>>());
        }
        // Only repeats can make up for different lengths.
        let most = gold.len().min(given.len());
        let (Some(gold), Some(given)) = (self.distinct(gold, most)?, self.distinct(given, most)?) else {
            return Ok(false);
        };
        Ok(gold.len() == given.len() && self.all_found(&gold, &given)?)
    }

    /// Whether every gold item has a given item of its own. Both are equally many.
    fn all_found(&mut self, gold: &[&Value], given: &[&Value]) -> Result<bool, Refusal> {
        let mut left = given.to_vec();
        'gold: for gold in gold {
            for at in 0..left.len() {
                if self.same(gold, left[at])? {
                    left.swap_remove(at);
                    continue 'gold;
                }
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// The items without repetitions; `None` as soon as there are more than `most`, which a set of `most` items cannot equal.
    /// The items without repeats; `None` if there are more than `most`.
    fn distinct<'v>(&mut self, items: &'v [Value], most: usize) -> Result<Option<Vec<&'v Value>>, Refusal> {
        let mut distinct: Vec<&Value> = Vec::new();
        'items: for item in items {
            for known in &distinct {
                if self.same(known, item)? {
                    continue 'items;
                }
            }
            if distinct.len() == most {
                return Ok(None);
            }
            distinct.push(item);
        }
        Ok(Some(distinct))
    }
}

/// What can be compared item by item. `(1, 2)` is an open interval or a pair: as a pair it has two members.
fn members(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::Set(items) | Value::Tuple(items) => Some(Cow::Borrowed(items)),
        Value::Interval(Interval { low, high, low_open: true, high_open: true }) => {
            Some(Cow::Owned(vec![Value::Expression(*low), Value::Expression(*high)]))
        }
        Value::Interval(_) | Value::Union(_) | Value::Intersection(_) | Value::Difference(_) => None,
        single => Some(Cow::Borrowed(std::slice::from_ref(single))),
    }
}
