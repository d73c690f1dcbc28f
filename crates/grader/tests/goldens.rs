//! The `mathruler` profile against 5,600 recorded verdicts, and box extraction against 55 recorded answers.

mod common;

use std::fs;

use coldstart_grader::{Limits, Path, Profile, extract_boxed, mathvision_string_form};
use common::{Pair, goldens, pairs, verdict};
use serde::Deserialize;

/// Pairs on which our verdict differs from the recorded one, with the reason: gold, given, reason.
const KNOWN: [(&str, &str, &str); 0] = [];

/// Mismatches: recorded true and missed, recorded false and true for us.
fn mismatches(pairs: &[Pair]) -> (Vec<&Pair>, Vec<&Pair>) {
    let differing = pairs.iter().filter(|pair| {
        let known = KNOWN.iter().any(|(gold, given, _)| *gold == pair.gold && *given == pair.pred);
        let ours = verdict(&pair.pred, &pair.gold, Profile::Mathruler).correct;
        (ours != pair.recorded(Profile::Mathruler)) != known
    });
    differing.partition(|pair| pair.recorded(Profile::Mathruler))
}

fn assert_equal_verdicts(name: &str, count: usize) {
    let pairs = pairs(name);
    assert_eq!(pairs.len(), count);
    let (missed, invented) = mismatches(&pairs);
    let list = |pairs: &[&Pair]| -> String {
        pairs.iter().map(|pair| format!("\n  gold {:?}  given {:?}  {:?}", pair.gold, pair.pred, pair.kind)).collect()
    };
    assert!(
        missed.is_empty() && invented.is_empty(),
        "{name}: {} positives missed:{}\n{} false positives:{}",
        missed.len(),
        list(&missed),
        invented.len(),
        list(&invented)
    );
}

#[test]
fn verdicts_on_published_model_outputs_are_those_of_mathruler() {
    assert_equal_verdicts("pairs", 5000);
}

#[test]
fn verdicts_on_rewrites_and_near_misses_are_those_of_mathruler() {
    assert_equal_verdicts("generated", 600);
}

#[test]
fn no_golden_pair_is_refused_and_all_stay_far_from_the_step_limit() {
    for pair in [pairs("pairs"), pairs("generated")].concat() {
        let verdict = verdict(&pair.pred, &pair.gold, Profile::Mathruler);
        if pair.recorded(Profile::Mathruler) {
            assert!(!matches!(verdict.path, Path::Refused(_)), "{pair:?}: {verdict:?}");
        }
        assert!(verdict.steps <= Limits::default().steps / 10, "{pair:?}: {verdict:?}");
    }
}

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<Case<T>>,
}

#[derive(Deserialize)]
struct Case<T> {
    response: String,
    expect: T,
}

fn cases<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<Case<T>> {
    let path = goldens().join("scoring").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str::<Cases<T>>(&text).unwrap().cases
}

#[test]
fn extracted_boxes_are_those_recorded() {
    #[derive(Deserialize)]
    struct Expected {
        boxed: Option<String>,
    }
    let cases = cases::<Expected>("boxed.json");
    assert_eq!(cases.len(), 55);
    for case in cases {
        assert_eq!(extract_boxed(&case.response), case.expect.boxed.as_deref(), "{:?}", case.response);
    }
}

#[test]
fn the_mathvision_form_is_the_last_step_of_its_clean_up() {
    // Of a boxed answer that the steps before leave alone, the form is the whole clean-up.
    let touched = ["oxed", "text", "mbox", "{}", "km", "m^3", "units", "∞", "matrix", "=", "\\approx", "\\,"];
    let mut compared = 0;
    for case in cases::<String>("mathvision_extraction.json") {
        let inside = case.response.strip_prefix(r"\boxed{").and_then(|rest| rest.strip_suffix('}'));
        let Some(inside) = inside.map(str::to_lowercase) else { continue };
        let option = inside.trim_matches(['(', ')']).len() == 1;
        if option || inside.is_empty() || touched.iter().any(|part| inside.contains(part)) {
            continue;
        }
        assert_eq!(mathvision_string_form(&inside.replace(' ', "")), case.expect, "{:?}", case.response);
        compared += 1;
    }
    assert!(compared > 10, "{compared} cases");
}
