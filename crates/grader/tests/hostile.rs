//! Inputs made to take forever. They are asserted on steps and verdicts, never on time; each is graded against an honest gold
//! answer, against itself with a difference, and in both orders.

#[path = "common/hostile.rs"]
mod answers;
mod common;

use answers::{hostile, pairs, random};
use coldstart_grader::{Limits, Path, Profile, Refusal, extract_boxed, grade};
use common::verdict;

const PROFILES: [Profile; 2] = [Profile::Mathruler, Profile::Lenient];

#[test]
fn hostile_answers_are_wrong_within_the_step_limit() {
    let limits = Limits::default();
    for (given, gold) in pairs() {
        assert!(given.len().max(gold.len()) <= limits.answer_bytes, "{given:.40} is compared as a string only");
        for profile in PROFILES {
            let verdict = verdict(&given, &gold, profile);
            assert!(verdict.steps <= limits.steps, "{profile:?} {gold:.40} {given:.40}: {verdict:?}");
            let honest = gold.len().min(given.len()) < 12;
            assert!(!(verdict.correct && honest), "{profile:?} {gold:.40} {given:.40}: {verdict:?}");
        }
    }
}

#[test]
fn hostile_answers_equal_themselves() {
    for (name, text) in hostile() {
        for profile in PROFILES {
            assert!(verdict(&text, &text, profile).correct, "{name} {profile:?}");
        }
    }
}

#[test]
fn random_pieces_are_graded_within_the_step_limit() {
    let answers = random(20_000);
    for pair in answers.windows(2) {
        for profile in PROFILES {
            let verdict = verdict(&pair[0], &pair[1], profile);
            assert!(verdict.steps <= Limits::default().steps, "{pair:?} {profile:?}: {verdict:?}");
        }
    }
}

#[test]
fn each_limit_has_its_reason() {
    let refusal = |given: &str, gold: &str, profile| match verdict(given, gold, profile).path {
        Path::Refused(refusal) => Some(refusal),
        _ => None,
    };
    for profile in PROFILES {
        assert_eq!(refusal(&"1".repeat(5000), "12", profile), Some(Refusal::Size));
        assert_eq!(refusal("99999999!", "x", profile), Some(Refusal::Big));
        assert_eq!(refusal(&("(".repeat(80) + "x" + &")".repeat(80)), "x+1", profile), Some(Refusal::Size));
    }
    assert_eq!(refusal("9**9**9", "x", Profile::Mathruler), Some(Refusal::Big));
    assert_eq!(refusal("9^{9^{9^{9}}}", "12", Profile::Lenient), Some(Refusal::Big));
    assert_eq!(refusal(r"\sin(abcfgh)", r"\cos(abcfgh)", Profile::Lenient), Some(Refusal::Symbols));
    assert_eq!(refusal(&r"\frac{".repeat(60), "x", Profile::Mathruler), Some(Refusal::Steps));
    // Each accent doubles the text that it stands over.
    assert_eq!(refusal(&(r"\hat{".repeat(60) + "x" + &"}".repeat(60)), "y", Profile::Mathruler), Some(Refusal::Steps));
}

#[test]
fn an_answer_beyond_the_size_limit_is_compared_as_a_string() {
    let long = "1".repeat(1 << 20);
    for profile in PROFILES {
        let padded = format!(" {long}\n");
        assert_eq!(verdict(&padded, &long, profile).path, Path::String);
        assert_eq!(verdict(&format!("{long}1"), &long, profile).path, Path::Refused(Refusal::Size));
        assert_eq!(verdict("5", &long, profile).path, Path::Refused(Refusal::Size));
        assert_eq!(verdict(&"!".repeat(1 << 20), "5", profile).steps, 0);
    }
}

/// The positive control: it is the limits that stop these inputs.
#[test]
fn with_the_limits_raised_the_same_inputs_run_away() {
    let limits = Limits::default();
    let raised = Limits { steps: 1000 * limits.steps, nodes: 1000 * limits.nodes, ..limits.clone() };
    // Every item has to be looked for among all that are left, and only the numeric test tells them apart.
    let set = |part: fn(usize) -> String| (1..60).map(|n| part(n) + ",").collect::<String>();
    let (given, gold) = (set(|n| format!(r"2\sin({n}x)\cos({n}x)")), set(|n| format!(r"\sin({}x)", 120 - 2 * n)));
    for (given, gold, profile) in [
        (r"\frac{".repeat(20), "12.5", Profile::Mathruler),
        (format!("{given}1"), &*format!("{gold}2"), Profile::Lenient),
    ] {
        let bounded = grade(&given, gold, profile, &limits);
        let unbounded = grade(&given, gold, profile, &raised);
        assert!(bounded.steps <= limits.steps, "{given:.20}: {bounded:?}");
        assert!(unbounded.steps > 10 * limits.steps, "{given:.20}: {unbounded:?}");
    }
}

#[test]
fn responses_full_of_boxes_or_braces_have_one_answer_or_none() {
    assert_eq!(extract_boxed(&r"\boxed{1}".repeat(10_000)), Some("1"));
    assert_eq!(extract_boxed(&r"\boxed{".repeat(100_000)), None);
    assert_eq!(extract_boxed(&(r"\boxed{".to_owned() + &"{".repeat(100_000))), None);
    assert_eq!(extract_boxed(&"}".repeat(1 << 20)), None);
    assert_eq!(extract_boxed(&(r"\boxed".repeat(100_000) + "{2}")), Some("2"));
}
