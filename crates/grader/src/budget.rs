//! Hard limits of one verdict. They are counters, never clocks: a verdict depends on the texts alone, not on speed or load.

use std::fmt;

/// What one call of [`crate::grade`] may use. The defaults hold every realistic answer and keep hostile ones to about a millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an answer; beyond it the two texts are only compared as strings.
    pub answer_bytes: usize,
    /// Expression nodes of one verdict, both sides together.
    pub nodes: u32,
    /// Nesting depth of an expression. Bounds the recursion of parsing and evaluation, and so the stack.
    pub depth: u32,
    /// Bits of any integer, intermediate results included.
    pub bits: u32,
    /// Absolute value of an exponent that the numeric identity test raises to.
    pub exponent: u32,
    /// Argument of a factorial or binomial.
    pub factorial: u32,
    /// Distinct symbols of one verdict.
    pub symbols: u32,
    /// Steps: units of work, so that a verdict's time is bounded by their number. A step is a visit or word product, a few
    /// nanoseconds; what takes longer, such as a new node or a sine, is charged as many as it takes.
    pub steps: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_bytes: 4096,
            nodes: 2000,
            depth: 64,
            bits: 4096,
            exponent: 3000,
            factorial: 200,
            symbols: 5,
            steps: 200_000,
        }
    }
}

/// The limit that ended a verdict. A refusal counts as "not equal".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Too long, too many nodes or nested too deeply.
    Size,
    /// A number, exponent or factorial beyond its limit.
    Big,
    /// Too many distinct symbols.
    Symbols,
    /// Too many steps.
    Steps,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Big => "big",
            Self::Symbols => "symbols",
            Self::Steps => "steps",
        })
    }
}

/// What common operations are charged, in steps, so that a step is at most a few nanoseconds everywhere. Measured by the example
/// `grading_speed`.
pub(crate) mod cost {
    /// A value that is looked at, and what that needs.
    pub const VISIT: usize = 16;
    /// A small allocation and its release.
    pub const ALLOCATION: usize = 12;
    /// A new expression node.
    pub const NODE: usize = 20;
    /// A token of a text.
    pub const TOKEN: usize = 8;
    /// A macro looked up by its name.
    pub const MACRO: usize = 40;
    /// A character that is scanned a few times.
    pub const CHARACTER: usize = 2;
    /// An accent on a character, and the text that it adds.
    pub const ACCENT: usize = 10;
    /// A byte of an answer, for the scans that clean it up.
    pub const CLEANED_BYTE: usize = 4;
    /// Bytes that are copied or scanned in one step.
    pub const BYTES: usize = 16;
    /// Finding or making the number of a canonical part, for its table and for each of its items.
    pub const INTERN: usize = 36;
    pub const INTERN_ITEM: usize = 8;
    /// Adding a term to a sum.
    pub const TERM: usize = 12;
    /// Arithmetic on rationals that allocates.
    pub const BIG: usize = 60;
}

/// What is left of the [`Limits`] during one verdict.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    steps: u32,
    nodes: u32,
    depth: u32,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), steps: 0, nodes: 0, depth: 0 }
    }

    /// The limits this budget was made from.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Steps taken so far. At most `limits.steps`: a charge that does not fit is refused and takes what was left.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Charges `n` steps **before** the work they stand for.
    ///
    /// # Errors
    /// [`Refusal::Steps`] if fewer are left.
    pub fn step(&mut self, n: usize) -> Result<(), Refusal> {
        let left = self.limits.steps - self.steps;
        match u32::try_from(n) {
            Ok(n) if n <= left => {
                self.steps += n;
                Ok(())
            }
            _ => {
                self.steps = self.limits.steps;
                Err(Refusal::Steps)
            }
        }
    }

    /// Charges one expression node, and its step.
    ///
    /// # Errors
    /// [`Refusal::Size`] beyond `limits.nodes`.
    pub fn node(&mut self) -> Result<(), Refusal> {
        if self.nodes >= self.limits.nodes {
            return Err(Refusal::Size);
        }
        self.nodes += 1;
        self.step(cost::NODE)
    }

    /// Goes one level deeper; every `Ok` is matched by one [`Budget::leave`].
    ///
    /// # Errors
    /// [`Refusal::Size`] beyond `limits.depth`; the depth stays as it was.
    pub fn enter(&mut self) -> Result<(), Refusal> {
        if self.depth >= self.limits.depth {
            return Err(Refusal::Size);
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back from [`Budget::enter`].
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Asks whether an integer of `bits` bits may be built.
    ///
    /// # Errors
    /// [`Refusal::Big`] beyond `limits.bits`.
    pub fn bits(&self, bits: usize) -> Result<(), Refusal> {
        within(bits, self.limits.bits, Refusal::Big)
    }

    /// Asks whether a factorial or binomial may have this argument.
    ///
    /// # Errors
    /// [`Refusal::Big`] beyond `limits.factorial`.
    pub fn factorial(&self, argument: usize) -> Result<(), Refusal> {
        within(argument, self.limits.factorial, Refusal::Big)
    }

    /// Asks whether a verdict may hold `count` distinct symbols.
    ///
    /// # Errors
    /// [`Refusal::Symbols`] beyond `limits.symbols`.
    pub fn symbols(&self, count: usize) -> Result<(), Refusal> {
        within(count, self.limits.symbols, Refusal::Symbols)
    }
}

fn within(value: usize, limit: u32, refusal: Refusal) -> Result<(), Refusal> {
    if u32::try_from(value).is_ok_and(|value| value <= limit) { Ok(()) } else { Err(refusal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_that_does_not_fit_is_refused_and_takes_what_was_left() {
        let mut budget = Budget::new(&Limits { steps: 10, ..Limits::default() });
        assert_eq!(budget.step(9), Ok(()));
        assert_eq!(budget.step(2), Err(Refusal::Steps));
        assert_eq!(budget.steps(), 10);
        assert_eq!(budget.step(usize::MAX), Err(Refusal::Steps));
    }

    #[test]
    fn every_limit_is_inclusive() {
        let mut budget = Budget::new(&Limits { nodes: 1, depth: 1, bits: 8, factorial: 3, ..Limits::default() });
        assert_eq!((budget.node(), budget.node()), (Ok(()), Err(Refusal::Size)));
        assert_eq!((budget.enter(), budget.enter()), (Ok(()), Err(Refusal::Size)));
        budget.leave();
        assert_eq!(budget.enter(), Ok(()));
        assert_eq!((budget.bits(8), budget.bits(9)), (Ok(()), Err(Refusal::Big)));
        assert_eq!((budget.factorial(3), budget.factorial(4)), (Ok(()), Err(Refusal::Big)));
        assert_eq!((budget.symbols(5), budget.symbols(6)), (Ok(()), Err(Refusal::Symbols)));
    }
}
