//! Sets, tuples, intervals and unions.

use std::borrow::Cow;
use std::ops::Range;

use super::compare::Comparison;
use super::value::{Interval, Value};
use crate::algebra::{self, FormId};
use crate::{Refusal, budget::cost};

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
    ///
    /// Items with the same canonical form are tried first, so that only what has no twin is compared with everything left.
    fn all_found(&mut self, gold: &[&Value], given: &[&Value]) -> Result<bool, Refusal> {
        let mut left: Vec<(Option<FormId>, &Value)> = Vec::with_capacity(given.len());
        for item in given {
            left.push((self.form(item)?, *item));
        }
        left.sort_by_key(|(form, _)| *form);
        let mut taken = vec![false; left.len()];
        let mut alone = Vec::new();
        for item in gold {
            let form = self.form(item)?;
            let twins = left.partition_point(|other| other.0 < form)..left.partition_point(|other| other.0 <= form);
            if form.is_none() || !self.take(item, twins, &left, &mut taken)? {
                alone.push(*item);
            }
        }
        for item in alone {
            if !self.take(item, 0..left.len(), &left, &mut taken)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes the first of some items that equals `gold`, if there is one.
    fn take(
        &mut self,
        gold: &Value,
        places: Range<usize>,
        items: &[(Option<FormId>, &Value)],
        taken: &mut [bool],
    ) -> Result<bool, Refusal> {
        for place in places {
            self.budget.step(1)?;
            if !taken[place] && self.same(gold, items[place].1)? {
                taken[place] = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The canonical form of an expression, if it has one.
    fn form(&mut self, value: &Value) -> Result<Option<FormId>, Refusal> {
        self.budget.step(cost::VISIT)?;
        match value {
            Value::Expression(id) => algebra::form(self.arena, *id, self.budget),
            _ => Ok(None),
        }
    }

    /// The items without repeats; `None` as soon as there are more than `most`, which a set of `most` items cannot equal.
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
