//! Equality of two expressions: canonical forms first, then exact arithmetic on their difference, then the numeric test.

use super::arena::{Arena, Id};
use super::forms::{Sum, SumId};
use super::{Stop, numeric};
use crate::{Budget, Refusal};

/// Decimal digits to which the numeric test asks two expressions to agree.
const DIGITS: u32 = 30;

/// How two expressions were found equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Their canonical forms agree, or their difference vanishes by exact arithmetic.
    Exact,
    /// They agree at every random point to 30 digits.
    Numeric,
}

/// Whether two expressions are identically equal. `Ok(None)`: they are not, or one is undefined.
///
/// Symbols are generic: `x²/x = x`, but `sqrt(x²)` is not `x`. `seed` chooses the points of the numeric test.
///
/// # Errors
/// The limit that was reached first.
pub(crate) fn equal(arena: &mut Arena, a: Id, b: Id, seed: u64, budget: &mut Budget) -> Result<Option<How>, Refusal> {
    match exactly_equal(arena, a, b, budget) {
        Ok(Some(equal)) => Ok(equal.then_some(How::Exact)),
        Ok(None) => Ok(numeric::agree(arena, a, b, DIGITS, seed, budget)?.then_some(How::Numeric)),
        Err(Stop::Undefined) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}

/// The canonical form of an expression. Expressions of one arena with the same form are equal. `None` if it is undefined.
///
/// # Errors
/// The limit that was reached first.
pub(crate) fn form(arena: &mut Arena, id: Id, budget: &mut Budget) -> Result<Option<SumId>, Refusal> {
    let (nodes, forms) = arena.exact_forms();
    match forms.canonical(nodes, id, budget) {
        Ok(form) => Ok(Some(form)),
        Err(Stop::Undefined) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}

/// `None` if only the numeric test can tell.
fn exactly_equal(arena: &mut Arena, a: Id, b: Id, budget: &mut Budget) -> Result<Option<bool>, Stop> {
    let (nodes, forms) = arena.exact_forms();
    let (a, b) = (forms.canonical(nodes, a, budget)?, forms.canonical(nodes, b, budget)?);
    if a == b {
        return Ok(Some(true));
    }
    let difference = forms.difference(&forms.sum(a), &forms.sum(b), budget)?;
    forms.vanishes(&difference, budget)
}

/// Whether two expressions agree numerically: `|a-b| ≤ 10^-digits · (1+|a|+|b|)` at every point.
///
/// # Errors
/// The limit that was reached first.
pub(crate) fn agree(arena: &Arena, a: Id, b: Id, digits: u32, seed: u64, budget: &mut Budget) -> Result<bool, Refusal> {
    numeric::agree(arena, a, b, digits, seed, budget)
}

/// The expression as a sum of coefficient × exact monomial, with decimal literals of up to 15 digits as IEEE doubles: exact
/// coefficients become doubles when they meet one. `None` if it is undefined.
///
/// Two expressions are equal in this arithmetic if the sum of their difference [is zero](Sum::is_zero), so `0.25 = 1/4` and
/// `0.5x = x/2`, but `0.3 + 0.6 ≠ 0.9`, and a decimal never equals an irrational number.
///
/// # Errors
/// The limit that was reached first.
pub(crate) fn monomials(arena: &mut Arena, id: Id, budget: &mut Budget) -> Result<Option<Sum>, Refusal> {
    let (nodes, forms) = arena.double_forms();
    let mut find = || {
        let id = forms.canonical(nodes, id, budget)?;
        let sum = forms.sum(id);
        // Over a common denominator terms may cancel that had different ones.
        Ok(if forms.vanishes(&sum, budget)? == Some(true) { Sum::default() } else { (*sum).clone() })
    };
    match find() {
        Ok(sum) => Ok(Some(sum)),
        Err(Stop::Undefined) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}
