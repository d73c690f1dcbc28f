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
use self::value::Value;
use crate::algebra::Arena;
use crate::{Budget, Path, Refusal, budget::cost};

pub use candidates::extract_answer;
pub use constant::constant_value;

/// Parts of a text that are read when the whole is no value.
const PARTS: usize = 8;

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
    let gold = read(gold, &gold_text, &mut arena, budget)?;
    let given = read(given, &given_text, &mut arena, budget)?;
    // A text that means nothing equals only the same text, and that was tried.
    let (Some(gold), Some(given)) = (gold, given) else { return Ok(None) };
    Comparison::new(&mut arena, budget, seed).decide(&gold, &given)
}

/// The value of a cleaned text; failing that, of the last formula or number in the text as it was.
fn read(original: &str, cleaned: &str, arena: &mut Arena, budget: &mut Budget) -> Result<Option<Value>, Refusal> {
    if let Some(value) = parse::parse(cleaned, arena, budget)? {
        return Ok(Some(value));
    }
    for part in candidates::last_values(original).take(PARTS) {
        budget.step(cost::CLEANED_BYTE * part.len())?;
        if let Some(value) = parse::parse(&text::clean(part), arena, budget)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
