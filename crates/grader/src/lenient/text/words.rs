//! Words that stand for a sign.

/// Replaces connecting words by commas, and the names of percent, infinity and the square root by their macros. Only whole words
/// count, and the argument of `\text` is left alone.
pub(super) fn replace(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            let name = 1 + rest.bytes().skip(1).take_while(u8::is_ascii_alphabetic).count();
            let mut end = name.max(2).min(rest.len());
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            if &rest[..end] == "\\text" {
                end += text_argument(&rest[end..]);
            }
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if c.is_ascii_alphabetic() {
            let end = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            word(&rest[..end], &mut out);
            rest = &rest[end..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The length of `{…}` at the start, zero if there is none.
fn text_argument(rest: &str) -> usize {
    match rest.strip_prefix('{') {
        Some(inside) => (1 + super::balanced(inside) + 1).min(rest.len()),
        None => 0,
    }
}

fn word(word: &str, out: &mut String) {
    match word {
        "and" | "or" => {
            out.truncate(out.trim_end().trim_end_matches(',').len());
            out.push(',');
        }
        "percent" | "percentage" | "pct" => {
            out.truncate(out.trim_end().len());
            out.push_str("\\%");
        }
        "infinity" | "inf" => out.push_str("\\infty "),
        "sqrt" => out.push_str("\\sqrt"),
        _ => out.push_str(word),
    }
}
