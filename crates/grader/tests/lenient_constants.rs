//! Constants as MATH-Vision compares them: equal when their values round to the same two decimals.

use std::path::Path;

use coldstart_grader::{Limits, constant_value};
use serde_json::Value;

/// Python's `round(v, 2)` rounds the exact binary value, halves to even, as Rust's formatting does.
fn rounded(latex: &str) -> Option<f64> {
    format!("{:.2}", constant_value(latex, &Limits::default())?).parse().ok()
}

fn item(text: &str) -> Option<String> {
    match text {
        "infty" | "-infty" | "a" | "-a" => Some(text.to_owned()),
        _ => rounded(text).map(|value| format!("{value:?}")),
    }
}

/// `(a, b)` with its items rounded; any other text as it is.
fn with_rounded_items(text: &str) -> String {
    let brackets = text.len() > 2 && text.starts_with(['(', '[']) && text.ends_with([')', ']']) && text.contains(',');
    let items: Option<Vec<String>> = brackets.then(|| text[1..text.len() - 1].split(',').map(item).collect()).flatten();
    match items {
        Some(items) => format!("{}{}{}", &text[..1], items.join(","), &text[text.len() - 1..]),
        None => text.to_owned(),
    }
}

fn equal(gold: &str, answer: &str) -> bool {
    let (gold, answer) = (gold.to_lowercase(), answer.to_lowercase());
    if gold.trim().is_empty() || answer.trim().is_empty() {
        return false;
    }
    let (gold, answer) = (with_rounded_items(gold.trim()), with_rounded_items(answer.trim()));
    gold == answer || matches!((rounded(&gold), rounded(&answer)), (Some(gold), Some(answer)) if gold == answer)
}

#[test]
fn verdicts_equal_those_of_the_benchmark() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/fixtures/goldens/scoring/mathvision_equality.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let (gold, answer) = (text("answer"), text("model_answer"));
        let options = case["options"].as_array().unwrap();
        let letter = gold.bytes().next().filter(|_| gold.len() == 1 && options.len() == 5);
        let option =
            letter.and_then(|letter| options.get(usize::from(letter.wrapping_sub(b'A')))).and_then(Value::as_str);
        let ours = equal(gold, answer) || option.is_some_and(|option| equal(option, answer));
        assert_eq!(Some(ours), case["expect"].as_bool(), "{case}");
    }
    assert!(cases.len() >= 69, "{} cases", cases.len());
}
