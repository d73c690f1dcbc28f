//! The equality engine: expressions in an [`Arena`], their canonical form, and a numeric identity test for what that leaves
//! open. Exact values are rationals of bounded size; no step builds a number beyond the budget, and no input panics.
//!
//! ```text
//! arena ─ forms (canonical, product, power, calls) ─ equal trees? ─ vanish (exact difference) ─ numeric (identity test)
//! ```

mod arena;
mod calls;
mod canonical;
mod coefficient;
mod equality;
mod forms;
mod integer;
mod number;
mod numeric;
mod power;
mod product;
#[cfg(test)]
mod tests;
mod value;
mod vanish;

use crate::Refusal;

pub(crate) use arena::{Arena, Func, Id, Node, Symbol};
pub(crate) use equality::{How, agree, equal, form, monomials};
pub(crate) use forms::SumId as FormId;
pub(crate) use number::Rational;
pub(crate) use value::value;

/// Why an expression has no value: a pole, `0/0` or an argument outside a function's domain; or a limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Undefined,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
