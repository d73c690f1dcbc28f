//! The second form of an answer: LaTeX and units away, plain arithmetic text that could be read as an expression.

use super::latex_text::latex_text;
use super::python::{float, integer_text, near_integer, trim};
use super::string_form::{enclosed_text, replace};
use super::tuple::is_integer;
use crate::{Refusal, budget::Budget};

/// Words that go, wherever they stand and in this order. `km`, `kg`, `m`, `mm` and `g` are not among them.
const UNITS: [&str; 16] = [
    "degree",
    "cm",
    "centimeter",
    "meter",
    "mile",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "foot",
    "feet",
    "inch",
    "yard",
];

/// # Errors
/// A refusal, if the LaTeX is nested too deeply or takes too many steps.
pub(crate) fn sympy_form(text: &str, budget: &mut Budget) -> Result<String, Refusal> {
    // A newline after the closing brace does no harm.
    let unwrapped = enclosed_text(text.strip_suffix('\n').unwrap_or(text));
    let mut text = unwrapped.unwrap_or(text).to_owned();
    for (from, to) in [
        (r"\%", "%"),
        (r"\$", "$"),
        ("$", ""),
        ("%", ""),
        (" or ", " , "),
        (" and ", " , "),
        ("million", "*10^6"),
        ("billion", "*10^9"),
        ("trillion", "*10^12"),
    ] {
        replace(&mut text, from, to);
    }
    for unit in UNITS {
        if text.contains(unit) {
            text = without_unit(&text, unit);
        }
    }
    text = without_degrees(&text);
    if let Some(inside) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        text = inside.to_owned();
    }
    text = without_negative_space(&text);
    if let Some(integer) = float(&text).and_then(near_integer) {
        text = integer_text(integer);
    }
    if text.contains('\\')
        && let Some(plain) = plain_text(&text, budget)?
    {
        text = plain;
    }
    text = join_mixed_numbers(&spaces_after_minus_away(&text));
    text.retain(|c| !matches!(c, ' ' | '{' | '}'));
    let text = text.to_lowercase();
    if is_integer(&text) {
        // Through a double, so that integers beyond 2^53 collapse, and truncated, not rounded: both as in the reference.
        if let Some(value) = float(&text.replace(',', "")) {
            return Ok(integer_text(value.trunc()));
        }
    }
    Ok(text)
}

/// LaTeX as text, with the signs that an expression may hold spelled out. `None`: not convertible, the text stays.
fn plain_text(text: &str, budget: &mut Budget) -> Result<Option<String>, Refusal> {
    // The space keeps the integer part of a mixed number apart.
    let text = text.replace(r"\tfrac", r"\frac").replace(r"\dfrac", r"\frac").replace(r"\frac", r" \frac");
    let Some(mut plain) = latex_text(&text, budget)? else { return Ok(None) };
    for (from, to) in [("√", "sqrt"), ("π", "pi"), ("∞", "inf"), ("∪", "U"), ("·", "*"), ("×", "*")] {
        replace(&mut plain, from, to);
    }
    Ok(Some(trim(&plain).to_owned()))
}

/// Deletes `unit`, an optional `es`, an optional `s`, spaces, and a power if present. The plural may eat into a next word.
fn without_unit(text: &str, unit: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(unit) {
        out.push_str(&rest[..at]);
        rest = &rest[at + unit.len()..];
        rest = rest.strip_prefix("es").unwrap_or(rest);
        rest = rest.strip_prefix('s').unwrap_or(rest).trim_start_matches(' ');
        if let Some(power) = rest.strip_prefix('^').filter(|power| power.starts_with(|c: char| c.is_ascii_digit())) {
            rest = power.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    out + rest
}

/// Deletes `^`, spaces, `\circ`.
fn without_degrees(text: &str) -> String {
    const DEGREE: &str = r"\circ";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(DEGREE) {
        let before = rest[..at].trim_end_matches(' ');
        match before.strip_suffix('^') {
            Some(before) => out.push_str(before),
            None => out.push_str(&rest[..at + DEGREE.len()]),
        }
        rest = &rest[at + DEGREE.len()..];
    }
    out.push_str(rest);
    out
}

/// Deletes `,\!` with the spaces after it.
fn without_negative_space(text: &str) -> String {
    let mut parts = text.split(r",\!");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.trim_start_matches(' '))
}

fn spaces_after_minus_away(text: &str) -> String {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + "-" + part.trim_start_matches(' '))
}

/// A digit, spaces and a digit: the spaces become `+`. A digit that ended such a match begins no other.
fn join_mixed_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut free = false;
    while let Some(c) = rest.chars().next() {
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        if spaces == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            free = c.is_ascii_digit();
            continue;
        }
        rest = &rest[spaces..];
        match rest.chars().next().filter(|next| free && next.is_ascii_digit()) {
            Some(next) => {
                out.extend(['+', next]);
                rest = &rest[1..];
            }
            None => out.extend(std::iter::repeat_n(' ', spaces)),
        }
        free = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn form(text: &str) -> String {
        sympy_form(text, &mut Budget::new(&Limits::default())).unwrap()
    }

    #[test]
    fn listed_units_go_with_plural_and_power() {
        assert_eq!(form("5 cm^2"), "5");
        assert_eq!(form("3 inches"), "3");
        assert_eq!(form("12 km"), "12km");
        assert_eq!(form("5 kilometers"), "5kilo");
        assert_eq!(form("Wednesday"), "wednes");
        assert_eq!(form("5 meter^x"), "5^x");
        assert_eq!(form("secondsecond"), "econd");
        assert_eq!(form(r"90^ \circ"), "90");
        assert_eq!(form(r"9 \circ"), "9∘");
    }

    #[test]
    fn integers_pass_through_a_double() {
        assert_eq!(form("1,234"), "1234");
        assert_eq!(form("98765432109876543210"), "98765432109876543488");
        assert_eq!(form("7.99999999"), "8");
        assert_eq!(form("1,007.99999999"), "1007");
        assert_eq!(form(r"2{,}500"), "2500");
        assert_eq!(form(r"2,\! 500"), "2500");
        assert_eq!(form("inf"), "inf");
    }

    #[test]
    fn spaces_between_digits_become_a_sum() {
        assert_eq!(form(r"4\frac{1}{5}"), "4+1/5");
        assert_eq!(form("1 2 3"), "1+23");
        assert_eq!(form("- 5x"), "-5x");
        assert_eq!(form("2 500"), "2+500");
    }

    #[test]
    fn one_pair_of_outer_braces_and_one_text_go() {
        assert_eq!(form(r"\text{C}"), "c");
        assert_eq!(form("\\text{C}\n"), "c");
        assert_eq!(form("{x}"), "x");
        assert_eq!(form("3 million"), "3*10^6");
        assert_eq!(form("2 or 3"), "2,3");
    }
}
