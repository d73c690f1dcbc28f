//! Profile `mathruler`: the verdicts of the Python package mathruler 0.1.0, quirks included.

mod latex_text;
pub(crate) mod python;
mod string_form;
mod symbolic;
mod sympy_form;
mod tuple;

pub use string_form::mathvision_string_form;

use self::string_form::string_form;
use self::sympy_form::sympy_form;
use self::tuple::{is_fraction, is_integer, split};
use crate::{
    Path, Refusal,
    budget::{Budget, cost},
};

/// `Ok(Some(path))`: equal, found on that path; `Ok(None)`: different; `Err`: a limit was reached first.
pub(crate) fn decide(given: &str, gold: &str, seed: u64, budget: &mut Budget) -> Result<Option<Path>, Refusal> {
    budget.step(cost::CLEANED_BYTE * (gold.len() + given.len()))?;
    if string_form(gold) == string_form(given) {
        return Ok(Some(Path::String));
    }
    let gold = sympy_form(gold, budget)?;
    let given = sympy_form(given, budget)?;
    if gold == given {
        return Ok(Some(Path::Normalised));
    }
    let (gold_items, given_items) = (split(&gold), split(&given));
    if given_items.is_empty() || gold_items.len() != given_items.len() {
        return Ok(None);
    }
    if gold_items.len() > 1 && ends(&gold) != ends(&given) {
        return Ok(None);
    }
    // The weakest path of any element, once all are equal.
    let mut path = Path::Exact;
    for (gold, given) in gold_items.iter().zip(&given_items) {
        match decide_element(gold, given, seed, budget)? {
            Some(Path::Numeric) => path = Path::Numeric,
            Some(_) => {}
            None => return Ok(None),
        }
    }
    Ok(Some(path))
}

fn decide_element(gold: &str, given: &str, seed: u64, budget: &mut Budget) -> Result<Option<Path>, Refusal> {
    budget.step(2 * cost::BIG + cost::CHARACTER * (gold.len() + given.len()))?;
    // Fractions must be reduced alike, and only a number written as one equals an integer.
    if is_fraction(gold) && is_fraction(given) {
        return Ok((gold == given).then_some(Path::Exact));
    }
    if is_integer(gold) != is_integer(given) {
        return Ok(None);
    }
    symbolic::decide(gold, given, seed, budget)
}

/// First and last character: the brackets of a tuple.
fn ends(text: &str) -> (Option<char>, Option<char>) {
    (text.chars().next(), text.chars().next_back())
}
