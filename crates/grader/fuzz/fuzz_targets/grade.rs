//! Two texts and a profile from any bytes: no panic, bounded steps, the same verdict twice, every visible answer equal to itself,
//! and for `mathruler` the same verdict in both orders.
//!
//! An input is the letter of the profile (`m`, anything else: lenient), the given answer, a NUL, the gold answer.
//!
//! `--features unbounded` raises the limits while the assertion on steps keeps the default ones: that build must fail, which
//! `node scripts/fuzz.mjs --unbounded` asserts.
#![no_main]

use coldstart_grader::{Limits, Path, Profile, grade};
use libfuzzer_sys::fuzz_target;

fn limits() -> Limits {
    let limits = Limits::default();
    if cfg!(feature = "unbounded") {
        return Limits { steps: limits.steps * 1000, nodes: limits.nodes * 1000, bits: limits.bits * 1000, ..limits };
    }
    limits
}

fuzz_target!(|input: &[u8]| {
    let Some((letter, rest)) = input.split_first() else { return };
    let profile = if *letter == b'm' { Profile::Mathruler } else { Profile::Lenient };
    let (given, gold) = rest.split_at(rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len()));
    let given = String::from_utf8_lossy(given);
    let gold = String::from_utf8_lossy(gold.get(1..).unwrap_or_default());
    let limits = limits();

    let verdict = grade(&given, &gold, profile, &limits);
    let most = Limits::default().steps;
    assert!(verdict.steps <= most, "{} steps of at most {most}", verdict.steps);
    assert_eq!(verdict, grade(&given, &gold, profile, &limits), "another verdict the second time");
    assert_eq!(verdict.correct, !matches!(verdict.path, Path::Unequal | Path::Refused(_)));

    if given.chars().any(|c| !c.is_whitespace() && !c.is_control()) {
        assert!(grade(&given, &given, profile, &limits).correct, "an answer differs from itself");
    }
    if profile == Profile::Mathruler {
        assert_eq!(verdict.correct, grade(&gold, &given, profile, &limits).correct, "the order of the answers matters");
    }
});
