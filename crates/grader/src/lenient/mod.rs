//! Profile `lenient`: mathematically sensible equality of answers. Sets in any order, intervals, relations, percent, units.
//!
//! A text is cleaned, parsed into a [`value::Value`], and the values are compared, gold first: the comparison is not symmetric, since
//! a bare `8` answers `z = 8` but a restated condition does not answer it. Expressions are compared by the equality engine.

mod candidates;
mod compare;
mod constant;
mod parse;
mod relations;
mod sets;
mod text;
mod value;

use self::compare::Comparison;
use crate::algebra::Arena;
use crate::{Budget, Limits, Path, Refusal, budget::cost};

pub use candidates::extract_answer;
pub use constant::constant_value;

/// `Ok(Some(path))`: equal, found on that path; `Ok(None)`: different; `Err`: a limit was reached first.
pub(crate) fn decide(given: &str, gold: &str, seed: u64, budget: &mut Budget) -> Result<Option<Path>, Refusal> {
    budget.step(cost::CLEANED_BYTE * (given.len() + gold.len()))?;
    if given.trim() == gold.trim() {
        return Ok((!gold.trim().is_empty()).then_some(Path::String));
    }
    let (gold_text, given_text) = (text::clean(gold), text::clean(given));
    let gold_key = text::key(&gold_text);
    if gold_key == text::key(&given_text) && !gold_key.is_empty() {
        return Ok(Some(Path::Normalised));
    }
    let mut arena = Arena::with_real_symbols();
    // A text that means nothing equals only the same text, and that was tried.
    let Some(gold) = parse::parse(&gold_text, &mut arena, budget)? else { return Ok(None) };
    let mut value = parse::parse(&given_text, &mut arena, budget)?;
    if value.is_none()
        && let Some(rest) = text::without_label(&given_text)
    {
        value = parse::parse(rest, &mut arena, budget)?;
    }
    let Some(given) = value else { return Ok(None) };
    Comparison::new(&mut arena, budget, seed).decide(&gold, &given)
}

/// Whether `latex` is read as a value. What is not equals only the same text, spaces and capitals apart.
#[must_use]
pub fn is_value(latex: &str, limits: &Limits) -> bool {
    let mut budget = Budget::new(limits);
    latex.len() <= limits.answer_bytes
        && parse::parse(&text::clean(latex), &mut Arena::with_real_symbols(), &mut budget)
            .is_ok_and(|value| value.is_some())
}
