//! Whether the difference of two elements vanishes identically, under the reference's rules for what may be calculated.

mod lexer;
mod parser;

use self::parser::parse;
use super::python::is_alpha;
use crate::algebra::{Arena, How, equal, monomials};
use crate::{Path, Refusal, budget::Budget};

/// `Ok(None)` also for texts that are no expression, or none that the reference would calculate.
pub(crate) fn decide(gold: &str, given: &str, seed: u64, budget: &mut Budget) -> Result<Option<Path>, Refusal> {
    if !is_calculable(gold, given) {
        return Ok(None);
    }
    let mut arena = Arena::new();
    // Apart from the reference, which reads `(gold)-(given)` as one text: parentheses must balance within each, so that the
    // order of the two makes no difference.
    let Some(gold) = parse(gold, &mut arena, budget)? else { return Ok(None) };
    let Some(given) = parse(given, &mut arena, budget)? else { return Ok(None) };
    if gold.decimals || given.decimals {
        // Floating-point arithmetic: a decimal never equals an irrational, and 0.3+0.6 is not 0.9.
        let difference = arena.sub(gold.id, given.id, budget)?;
        let sum = monomials(&mut arena, difference, budget)?;
        return Ok(sum.is_some_and(|sum| sum.is_zero()).then_some(Path::Exact));
    }
    let how = equal(&mut arena, gold.id, given.id, seed, budget)?;
    Ok(how.map(|how| match how {
        How::Exact => Path::Exact,
        How::Numeric => Path::Numeric,
    }))
}

/// At most two distinct letters in both texts, and no exponent that could be a large number.
fn is_calculable(gold: &str, given: &str) -> bool {
    let mut letters: Vec<char> = Vec::new();
    for text in [gold, given] {
        if has_large_exponent(text) {
            return false;
        }
        // `sqrt` is no variable; `pi` is two letters here.
        for c in text.replace("sqrt", "").replace("frac", "").chars().filter(|&c| is_alpha(c)) {
            if !letters.contains(&c) {
                letters.push(c);
            }
            if letters.len() > 2 {
                return false;
            }
        }
    }
    true
}

/// `^{`, `^(`, `^` with two digits, or `^digits^`.
fn has_large_exponent(text: &str) -> bool {
    let mut exponents = text.split('^').skip(1).peekable();
    while let Some(exponent) = exponents.next() {
        let digits = exponent.bytes().take_while(u8::is_ascii_digit).count();
        let tower = digits > 0 && digits == exponent.len() && exponents.peek().is_some();
        if digits > 1 || tower || exponent.starts_with(['{', '(']) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
