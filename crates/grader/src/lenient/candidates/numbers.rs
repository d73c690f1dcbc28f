//! Numbers and sums of numbers in plain text.

use super::Span;

/// Finds `\frac{1}{2}` anywhere, and runs of digits and operators such as `12`, `1,250.5` and `3 * (4 + 5)` at the start of the text
/// and after a space or an equals sign; a percent sign or word belongs to them.
pub(super) fn find(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c == '\\' {
            match fraction(rest) {
                Some(len) => {
                    let start = at - usize::from(text[..at].ends_with('-'));
                    spans.push(Span { start, end: at + len, inside: &text[start..at + len] });
                    at += len;
                }
                None => at += 1,
            }
        } else if begins_run(rest) {
            let len = run(rest);
            if let Some(number) = number(&rest[..len]).filter(|_| stands_free(&text[..at])) {
                let end = at + number.len();
                let end = end + percent(&text[end..]);
                spans.push(Span { start: at, end, inside: &text[at..end] });
                at = end.max(at + len);
            } else {
                at += len;
            }
        } else {
            at += c.len_utf8();
        }
    }
    spans
}

/// The length of `\frac{number}{number}` at the start.
fn fraction(rest: &str) -> Option<usize> {
    let mut after = rest.strip_prefix("\\frac")?;
    for _ in 0..2 {
        after = after.strip_prefix('{')?;
        let digits =
            after.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-')).count();
        after = after[digits..].strip_prefix('}').filter(|_| digits > 0)?;
    }
    Some(rest.len() - after.len())
}

/// A digit, perhaps after a sign, a point or a bracket.
fn begins_run(rest: &str) -> bool {
    let after = rest.strip_prefix('-').unwrap_or(rest);
    let after = after.strip_prefix(['(', '.']).unwrap_or(after);
    after.starts_with(|c: char| c.is_ascii_digit())
}

/// The length of digits, operators, brackets and spaces at the start.
fn run(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_ascii_digit() || c == ' ' || ".,+-*×/÷^()".contains(c))).unwrap_or(rest.len())
}

/// The number or sum in a run, without the signs of the sentence. `None` where two numbers stand side by side.
fn number(run: &str) -> Option<&str> {
    let comma = run.match_indices(',').find(|(at, _)| !run[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let run = &run[..comma.map_or(run.len(), |(at, _)| at)];
    let mut number = run.trim_end_matches([' ', '.', ',', '+', '-', '*', '×', '/', '÷', '^', '(']);
    let count = |text: &str, c: char| text.matches(c).count();
    let extra = count(number, ')').saturating_sub(count(number, '('));
    for _ in 0..extra {
        number = number.strip_suffix(')').unwrap_or(number);
    }
    let ends_in_digit = |text: &str| text.ends_with(|c: char| c.is_ascii_digit());
    let side_by_side = number.match_indices(' ').any(|(at, _)| {
        ends_in_digit(&number[..at]) && number[at..].trim_start().starts_with(|c: char| c.is_ascii_digit())
    });
    (!side_by_side && !number.is_empty()).then_some(number)
}

/// Whether a number may begin after this text.
fn stands_free(before: &str) -> bool {
    // `4\ 2/3` is a number of two parts, like `4 2/3`.
    let apart = before.trim_end_matches([' ', '\\']);
    if before[apart.len()..].contains('\\') && apart.ends_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let before = before.strip_suffix(['$', '€', '£', '¥']).unwrap_or(before);
    let before = before.strip_suffix("**").unwrap_or(before);
    before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || c == '=')
}

/// The length of a percent sign or word, with the space before it.
fn percent(after: &str) -> usize {
    let word = after.trim_start_matches(' ');
    let signs = ["\\%", "%", "percentage", "percent", "pct"];
    signs.iter().find(|sign| word.starts_with(**sign)).map_or(0, |sign| after.len() - word.len() + sign.len())
}
