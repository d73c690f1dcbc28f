//! What several test files share: the golden pairs, and grading with default limits.

// Each test file compiles this module and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::path::PathBuf;

use coldstart_grader::{Limits, Profile, Verdict, grade};
use serde::Deserialize;

/// A pair of answers and the verdicts recorded for it.
#[derive(Debug, Clone, Deserialize)]
pub struct Pair {
    pub gold: String,
    pub pred: String,
    mathruler: Recorded,
    math_verify: Recorded,
    /// How a generated pair was made.
    pub kind: Option<String>,
}

/// `"timeout"`: no verdict within ten seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Recorded {
    Verdict(bool),
    Timeout(String),
}

impl Recorded {
    fn is_true(&self) -> bool {
        match self {
            Self::Verdict(verdict) => *verdict,
            Self::Timeout(word) => {
                assert_eq!(word, "timeout");
                false
            }
        }
    }
}

impl Pair {
    /// The verdict recorded for a profile; no verdict counts as false.
    pub fn recorded(&self, profile: Profile) -> bool {
        match profile {
            Profile::Mathruler => self.mathruler.is_true(),
            Profile::Lenient => self.math_verify.is_true(),
        }
    }
}

pub fn goldens() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test/fixtures/goldens")
}

/// The pairs of `grading/{name}.jsonl`.
pub fn pairs(name: &str) -> Vec<Pair> {
    let path = goldens().join("grading").join(format!("{name}.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn verdict(given: &str, gold: &str, profile: Profile) -> Verdict {
    grade(given, gold, profile, &Limits::default())
}

/// Pieces that answers are made of, and pieces that break them.
pub const PIECES: [&str; 64] = [
    "1",
    "2",
    "30",
    "0.5",
    ".",
    ",",
    "1,234",
    "x",
    "y",
    "n",
    "pi",
    "e",
    "+",
    "-",
    "*",
    "**",
    "/",
    "^",
    "^2",
    "!",
    "=",
    "<",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    " ",
    "%",
    "$",
    "°",
    "π",
    "√",
    "∞",
    r"\frac",
    r"\frac{1}{2}",
    r"\sqrt",
    r"\sqrt{2}",
    r"\sqrt[3]",
    r"\pi",
    r"\cdot ",
    r"\le ",
    r"\in ",
    r"\cup ",
    r"\pm ",
    r"\infty",
    r"\text{",
    r"\text{ cm}",
    r"\mathbf{",
    r"\left(",
    r"\right)",
    r"\{",
    r"\}",
    r"\circ",
    r"\log_",
    r"\sin ",
    r"\binom",
    r"\begin{pmatrix}",
    r"\end{pmatrix}",
    "\\\\",
    "&",
];
