//! Thousands separators, tuples, integers and fractions, as they are told apart before anything is calculated.

use super::python::{digit, float, near_integer, trim};

const BRACKETS: [char; 4] = ['(', ')', '[', ']'];

/// `text` without commas between a digit and three digits that no digit follows.
///
/// Repeats a left-to-right substitution that does not overlap. The character after a group belongs to its match, so numbers
/// with three or more separators get stuck: `1,234,567,890` becomes `1234,567890`. That is the reference's behaviour.
pub(crate) fn strip_thousands(text: &str) -> String {
    let mut text = text.to_owned();
    // A pass either removes a comma or is the last; a number is stuck or done after a few.
    while text.contains(',') {
        let next = strip_once(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn strip_once(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| chars.get(at).is_some_and(|&c| digit(c).is_some());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let group =
            is_digit(at) && chars.get(at + 1) == Some(&',') && (at + 2..at + 5).all(is_digit) && !is_digit(at + 5);
        if group {
            out.push(chars[at]);
            out.extend(&chars[at + 2..(at + 6).min(chars.len())]);
            at += 6;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// The elements of a tuple: bracketed on both sides, brackets may mix, none inside. Anything else is one element.
pub(crate) fn split(text: &str) -> Vec<String> {
    let text = strip_thousands(text);
    if text.is_empty() {
        return Vec::new();
    }
    let inside = text.strip_prefix(BRACKETS).and_then(|rest| rest.strip_suffix(BRACKETS));
    match inside {
        Some(inside) if !inside.is_empty() && !inside.contains(BRACKETS) => {
            inside.split(',').map(|item| trim(item).to_owned()).collect()
        }
        _ => vec![text],
    }
}

/// Whether the text is a number within 1e-7 of an integer, thousands separators aside.
pub(crate) fn is_integer(text: &str) -> bool {
    float(&strip_thousands(text)).and_then(near_integer).is_some()
}

/// Whether the text reads `-?digits`, any one optional character, `/`, a positive integer, any one optional character.
pub(crate) fn is_fraction(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == unsigned.len() {
        return false;
    }
    let mut chars = rest.chars();
    let skipped = chars.next().filter(|&c| c != '\n').map(|_| chars.as_str());
    [Some(rest), skipped].into_iter().flatten().any(|rest| rest.strip_prefix('/').is_some_and(is_denominator))
}

fn is_denominator(text: &str) -> bool {
    let rest = text.trim_start_matches('0');
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    // `$` also stands before one final newline, and `.` is no newline.
    let rest = rest.strip_suffix('\n').unwrap_or(rest);
    rest.chars().count() <= 1 && rest != "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_separators_get_stuck() {
        assert_eq!(strip_thousands("1,234"), "1234");
        assert_eq!(strip_thousands("1,234,567"), "1234567");
        assert_eq!(strip_thousands("1,234,567,890"), "1234,567890");
        assert_eq!(strip_thousands("1,2345 and 7,890."), "1,2345 and 7890.");
        assert_eq!(strip_thousands("٣,٣٣٣"), "٣٣٣٣");
    }

    #[test]
    fn a_tuple_needs_brackets_on_both_sides_and_none_inside() {
        assert_eq!(split("(3, 9]"), ["3", "9"]);
        assert_eq!(split("[5)"), ["5"]);
        assert_eq!(split("(7,250)"), ["7250"]);
        assert_eq!(split("((1),2)"), ["((1),2)"]);
        assert_eq!(split("3,9"), ["3,9"]);
        assert_eq!(split("()"), ["()"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn integers_are_floats_near_an_integer() {
        assert!(["8", "8.00000000001", "1,234", "-0", "1e3", "٣"].into_iter().all(is_integer));
        assert!(!["16+1", "0.5", "inf", "nan", "1,234,567,890", ""].into_iter().any(is_integer));
    }

    #[test]
    fn fractions_have_an_integer_over_a_positive_integer() {
        for text in ["3/8", "-3/08", "3x/8", "3/8x", "3//8", "3/8\n", "12/8π"] {
            assert!(is_fraction(text), "{text:?}");
        }
        for text in ["3/0", "/8", "x/8", "3xy/8", "3/8xy", "3\n/8", "+3/8", "3/8\n\n", "٣/8"] {
            assert!(!is_fraction(text), "{text:?}");
        }
    }
}
