//! Tokens of an expression, as Python's tokenizer cuts them.

use super::super::python::is_alpha;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// ASCII digits.
    Integer(&'a str),
    /// A number with a point or an exponent.
    Decimal(&'a str),
    /// Letters, digits and underscores, starting with no digit; or one letter of a run of them.
    Name(&'a str),
    /// One of `+ - * / ( ) !`.
    Sign(char),
    Power,
}

/// The token at the front of `text`; `None` at the end, `Some(None)` for what no expression holds.
pub(super) fn token(text: &str) -> Option<Option<Token<'_>>> {
    let c = text.chars().next()?;
    if c.is_ascii_digit() || (c == '.' && text[1..].starts_with(|c: char| c.is_ascii_digit())) {
        return Some(number(text));
    }
    if is_name(c) {
        let name = &text[..text.len() - text.trim_start_matches(is_name).len()];
        return Some(Some(Token::Name(name)));
    }
    Some(match c {
        '^' => Some(Token::Power),
        '*' if text.starts_with("**") => Some(Token::Power),
        // Two of these are another operator, which answers have no use for.
        '/' | '!' if text[1..].starts_with(c) => None,
        '+' | '-' | '*' | '/' | '(' | ')' | '!' => Some(Token::Sign(c)),
        _ => None,
    })
}

fn is_name(c: char) -> bool {
    c == '_' || is_alpha(c) || c.is_numeric()
}

fn number(text: &str) -> Option<Token<'_>> {
    let digits = |from: usize| from + text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    let mut end = whole;
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let from = text.len() - exponent.strip_prefix(['+', '-']).unwrap_or(exponent).len();
        if digits(from) > from {
            end = digits(from);
        }
    }
    // `3j` is an imaginary number in Python, which the reference cannot read on.
    if text[end..].starts_with(['j', 'J', '_']) {
        return None;
    }
    if end > whole {
        return Some(Token::Decimal(&text[..end]));
    }
    // Python has no integers with leading zeros, though zeros alone; `0x`, `0b` and `0o` begin other notations.
    let zeros = text.len() - text.trim_start_matches('0').len();
    let leading_zero = zeros > 0 && (zeros < whole || text[1..].starts_with(['x', 'b', 'o']));
    (!leading_zero).then_some(Token::Integer(&text[..end]))
}
