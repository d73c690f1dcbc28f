//! Whether the value of an answer equals the value of the gold answer.

use super::relations;
use super::value::{Chain, Matrix, Relation, Value, has_symbols, infinite, is_decimal, spelling};
use crate::algebra::{self, Arena, How, Id};
use crate::{Budget, Path, Refusal, budget::cost};

/// Decimals of a literal that count.
const ROUNDED_DIGITS: u32 = 6;
/// Digits to which expressions with a decimal literal must agree.
const DECIMAL_DIGITS: u32 = 15;
/// From this many letters on, letters side by side are a word and their order counts.
const WORD_LETTERS: usize = 4;

pub(super) struct Comparison<'a> {
    pub arena: &'a mut Arena,
    pub budget: &'a mut Budget,
    seed: u64,
    /// Whether anything was found equal by rounding or by the numeric test.
    numeric: bool,
}

impl<'a> Comparison<'a> {
    pub fn new(arena: &'a mut Arena, budget: &'a mut Budget, seed: u64) -> Self {
        Self { arena, budget, seed, numeric: false }
    }

    pub fn decide(mut self, gold: &Value, given: &Value) -> Result<Option<Path>, Refusal> {
        let path = |numeric| if numeric { Path::Numeric } else { Path::Exact };
        Ok(self.same(gold, given)?.then(|| path(self.numeric)))
    }

    /// Not symmetric: what the gold answer names may be left out, what it leaves out may be named.
    pub fn same(&mut self, gold: &Value, given: &Value) -> Result<bool, Refusal> {
        self.budget.step(cost::VISIT)?;
        let (gold, given) = self.without_names(gold, given)?;
        let solved = match gold {
            Value::Relation(chain) if given.is_collection() => relations::solutions(self, chain)?,
            _ => None,
        };
        let gold = solved.as_ref().unwrap_or(gold);
        match (gold, given) {
            (Value::Relation(gold), Value::Relation(given)) => {
                let (gold, given) = (self.shortened(gold), self.shortened(given));
                self.same_relation(&gold, &given)
            }
            (Value::Expression(gold), Value::Expression(given)) => self.same_expression(*gold, *given),
            (Value::Matrix(gold), Value::Matrix(given)) => self.same_matrix(gold, given),
            (Value::Matrix(matrix), tuple) if matrix.columns == 1 && tuple.is_collection() => {
                self.same(&column(matrix), tuple)
            }
            (tuple, Value::Matrix(matrix)) if matrix.columns == 1 && tuple.is_collection() => {
                self.same(tuple, &column(matrix))
            }
            (gold, given) if gold.is_collection() || given.is_collection() => self.same_collection(gold, given),
            _ => Ok(false),
        }
    }

    /// `x = 8` and `8`: the value counts if only one side is an equation.
    fn without_names<'v>(&mut self, gold: &'v Value, given: &'v Value) -> Result<(&'v Value, &'v Value), Refusal> {
        Ok(match given {
            Value::Relation(chain) if given.is_equation() && !gold.is_equation() => {
                if self.tells_value(chain)? {
                    (gold, last_side(given))
                } else {
                    (gold, given)
                }
            }
            _ if gold.is_assignment(self.arena) && !given.is_equation() => (last_side(gold), given),
            _ => (gold, given),
        })
    }

    /// Whether an equation says what its last side is: of a name, `x = 8` and `f(x) = 8`, or of a calculation that comes to it,
    /// `3 + 5 = 8`. Not `2x = 8`, of which 8 is no solution.
    fn tells_value(&mut self, chain: &Chain) -> Result<bool, Refusal> {
        let (first, last) = (&chain.sides[0], &chain.sides[chain.sides.len() - 1]);
        if first.is_name(self.arena) {
            return Ok(true);
        }
        match first.expression() {
            Some(id) if !has_symbols(self.arena, id) => self.same(last, first),
            _ => Ok(false),
        }
    }

    /// `x = 45 + 1 = 46` says `x = 46`.
    fn shortened(&self, chain: &Chain) -> Chain {
        let whole = Value::Relation(chain.clone());
        match (&chain.sides[..], whole.is_assignment(self.arena)) {
            ([first, .., last], true) => {
                Chain { sides: vec![first.clone(), last.clone()], relations: vec![Relation::Eq] }
            }
            _ => chain.clone(),
        }
    }

    pub fn same_expression(&mut self, gold: Id, given: Id) -> Result<bool, Refusal> {
        if let (Some(gold), Some(given)) = (spelling(self.arena, gold), spelling(self.arena, given)) {
            let is_word = gold.chars().count().max(given.chars().count()) >= WORD_LETTERS;
            if gold == given || is_word {
                return Ok(gold == given);
            }
        }
        let infinities = (infinite(self.arena, gold), infinite(self.arena, given));
        if infinities != (None, None) {
            return Ok(infinities.0 == infinities.1);
        }
        if (is_decimal(self.arena, gold) || is_decimal(self.arena, given)) && self.same_rounded(gold, given)? {
            self.numeric = true;
            return Ok(true);
        }
        if self.identical(gold, given)? {
            return Ok(true);
        }
        let decimal = self.arena.has_decimal(gold) || self.arena.has_decimal(given);
        let agree = decimal && algebra::agree(self.arena, gold, given, DECIMAL_DIGITS, self.seed, self.budget)?;
        self.numeric |= agree;
        Ok(agree)
    }

    /// Whether both are equal for all values of their symbols.
    pub fn identical(&mut self, a: Id, b: Id) -> Result<bool, Refusal> {
        let how = algebra::equal(self.arena, a, b, self.seed, self.budget)?;
        self.numeric |= how == Some(How::Numeric);
        Ok(how.is_some())
    }

    fn same_rounded(&mut self, gold: Id, given: Id) -> Result<bool, Refusal> {
        let mut rounded = |id| match algebra::value(self.arena, id, self.budget)? {
            Some(value) => value.round(ROUNDED_DIGITS, self.budget),
            None => Ok(None),
        };
        Ok(match (rounded(gold)?, rounded(given)?) {
            (Some(gold), Some(given)) => gold == given,
            _ => false,
        })
    }

    fn same_matrix(&mut self, gold: &Matrix, given: &Matrix) -> Result<bool, Refusal> {
        if gold.columns != given.columns || gold.items.len() != given.items.len() {
            return Ok(false);
        }
        for (gold, given) in gold.items.iter().zip(&given.items) {
            if !self.same_expression(*gold, *given)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn last_side(value: &Value) -> &Value {
    match value {
        Value::Relation(chain) => chain.sides.last().unwrap_or(value),
        _ => value,
    }
}

fn column(matrix: &Matrix) -> Value {
    Value::Tuple(matrix.items.iter().copied().map(Value::Expression).collect())
}
