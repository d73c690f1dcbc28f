//! Finds the answer in a response and decides whether it equals the gold answer, in a bounded number of steps.
//!
//! Two profiles share one equality engine:
//!
//! | profile | what it is |
//! |---|---|
//! | [`Profile::Mathruler`] | the verdicts of the Python package mathruler 0.1.0, quirks included, because the reward is part of a method |
//! | [`Profile::Lenient`] | mathematically sensible equality: sets, intervals, relations, percent, units |
//!
//! Nothing is evaluated as code, no clock is read and no state is kept: a verdict depends on the two texts, the profile and
//! the [`Limits`] alone.
//!
//! ```
//! use coldstart_grader::{Limits, Path, Profile, extract_boxed, grade};
//!
//! let answer = extract_boxed(r"so the area is \boxed{\frac{6}{\sqrt{3}}}.").unwrap();
//! let verdict = grade(answer, r"2\sqrt{3}", Profile::Mathruler, &Limits::default());
//! assert!(verdict.correct);
//! assert_eq!(verdict.path, Path::Exact);
//! ```

mod algebra;
mod budget;
mod extract;
mod format;
mod lenient;
mod mathruler;

pub(crate) use budget::Budget;
pub use budget::{Limits, Refusal};
pub use extract::{answer_tag, extract_boxed};
pub use format::{easyr1_squeeze, format_answer, format_think};
pub use lenient::{constant_value, extract_answer, is_value};
pub use mathruler::mathvision_string_form;

/// Which rules decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The verdicts of mathruler 0.1.0.
    Mathruler,
    /// Mathematical equality.
    Lenient,
}

/// How a verdict came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// The texts agree after light cleaning.
    String,
    /// The texts agree after rewriting.
    Normalised,
    /// The values agree exactly.
    Exact,
    /// The values agree at every point of the numeric identity test.
    Numeric,
    /// They differ.
    Unequal,
    /// A limit was reached before the texts were found equal; counts as different.
    Refused(Refusal),
}

/// A decision and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the answer counts.
    pub correct: bool,
    /// How that was found.
    pub path: Path,
    /// Steps taken, at most `limits.steps`.
    pub steps: u32,
}

/// Decides whether the answer `given` equals the answer `gold`. Neither is a whole response: extract the answer first.
///
/// Both are LaTeX or plain text, without a surrounding box. An answer beyond `limits.answer_bytes` is correct only if it is
/// the same text.
#[must_use]
pub fn grade(given: &str, gold: &str, profile: Profile, limits: &Limits) -> Verdict {
    let mut budget = Budget::new(limits);
    let found = if given.len().max(gold.len()) > limits.answer_bytes {
        if given.trim() == gold.trim() { Ok(Some(Path::String)) } else { Err(Refusal::Size) }
    } else {
        let seed = seed(given, gold, profile);
        match profile {
            Profile::Mathruler => mathruler::decide(given, gold, seed, &mut budget),
            Profile::Lenient => lenient::decide(given, gold, seed, &mut budget),
        }
    };
    let path = match found {
        Ok(Some(path)) => path,
        Ok(None) => Path::Unequal,
        Err(refusal) => Path::Refused(refusal),
    };
    Verdict { correct: matches!(found, Ok(Some(_))), path, steps: budget.steps() }
}

/// Seeds the points of the numeric test from the texts and the profile, alike for both orders of the texts.
fn seed(given: &str, gold: &str, profile: Profile) -> u64 {
    // FNV-1a: std's hasher promises no fixed values between releases.
    let hash = |text: &str| {
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
    };
    hash(given).wrapping_add(hash(gold)).wrapping_add(profile as u64)
}
