//! Wrappers and styling of LaTeX.

/// Styles whose argument is text, all read as `\text`.
const TEXT: [&str; 10] =
    ["text", "textbf", "textit", "textrm", "textnormal", "mathrm", "mathbf", "mathit", "mbox", "hbox"];
/// Macros that only change how the formula looks.
const NOTHING: [&str; 13] = [
    "left",
    "right",
    "mleft",
    "mright",
    "big",
    "Big",
    "bigg",
    "Bigg",
    "displaystyle",
    "textstyle",
    "limits",
    "bigl",
    "bigr",
];
const SPACES: [&str; 6] = ["quad", "qquad", "thinspace", "medspace", "thickspace", "ldots"];

/// The text up to a closing brace that closes nothing; of that, the inside of the last box, if there is one; of that, what stands
/// between `\\(` and `\\)` or `\\[` and `\\]`, if these surround it.
pub(super) fn inside(text: &str) -> &str {
    let text = inside_box(&text[..balanced(text)]).trim();
    let surrounded =
        |open, close| text.strip_prefix(open)?.strip_suffix(close).filter(|inside: &&str| !inside.contains(open));
    surrounded("\\(", "\\)").or_else(|| surrounded("\\[", "\\]")).unwrap_or(text)
}

fn inside_box(text: &str) -> &str {
    let start = ["\\boxed", "\\fbox"].iter().filter_map(|macro_| text.rfind(macro_).map(|at| at + macro_.len())).max();
    let Some(inside) = start.and_then(|start| text[start..].trim_start().strip_prefix('{')) else { return text };
    &inside[..balanced(inside)]
}

/// Where the first `}` stands that no `{` of the text opened, or the length. Escaped braces count, as they do for the box itself.
pub(in crate::lenient) fn balanced(text: &str) -> usize {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return at,
            b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Where each `{` of a text closes. Looked up, so that braces in braces are not scanned again and again.
struct Braces {
    /// By the place of the brace; the length of the text if it never closes.
    ends: Vec<usize>,
}

impl Braces {
    fn new(text: &str) -> Self {
        let mut ends = vec![text.len(); text.len()];
        let mut open = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'{' => open.push(at),
                b'}' => {
                    if let Some(open) = open.pop() {
                        ends[open] = at;
                    }
                }
                _ => {}
            }
        }
        Self { ends }
    }

    /// What the brace before `inside` encloses, and what follows its closing brace; `inside` is the end of the text.
    fn argument<'a>(&self, inside: &'a str) -> Option<(&'a str, &'a str)> {
        let start = self.ends.len() - inside.len();
        let end = self.ends[start - 1] - start;
        Some((&inside[..end], inside[end..].strip_prefix('}')?))
    }
}

/// One scan over macros and signs: drops styling, maps synonyms, and turns every kind of space into a space.
pub(super) fn strip(text: &str) -> String {
    let has_rows = text.contains("\\begin");
    let braces = Braces::new(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escaped(after, has_rows, &braces, &mut out),
            '$' | '"' | '\'' => after,
            '~' => match after.strip_prefix('=') {
                Some(after) => emit(&mut out, "\\approx ", after),
                None => emit(&mut out, " ", after),
            },
            // `2{,}500`: the braces only suppress the space that LaTeX puts after a comma.
            '{' if after.trim_start().starts_with(',') => {
                let after_comma = after.trim_start()[1..].trim_start();
                match after_comma.strip_prefix('}') {
                    Some(after) => emit(&mut out, ",", after),
                    None => emit(&mut out, "{", after),
                }
            }
            _ if c.is_whitespace() => emit(&mut out, " ", after),
            _ => emit(&mut out, &rest[..c.len_utf8()], after),
        };
    }
    out
}

fn emit<'a>(out: &mut String, piece: &str, rest: &'a str) -> &'a str {
    out.push_str(piece);
    rest
}

/// Handles what follows a backslash; gives the rest.
fn escaped<'a>(after: &'a str, has_rows: bool, braces: &Braces, out: &mut String) -> &'a str {
    let name = macro_name(after);
    let rest = &after[name.len()..];
    if name.is_empty() {
        return sign(after, has_rows, braces, out);
    }
    if NOTHING.contains(&name) {
        return rest;
    }
    if SPACES.contains(&name) {
        if name == "ldots" && out.trim_end().ends_with(',') {
            out.truncate(out.trim_end().len() - 1);
        }
        return emit(out, " ", rest);
    }
    if TEXT.contains(&name) {
        return text_argument(rest, braces, out);
    }
    match name {
        "dfrac" | "tfrac" | "cfrac" => emit(out, "\\frac", rest),
        "colon" => emit(out, ":", rest),
        _ => {
            out.push('\\');
            emit(out, name, rest)
        }
    }
}

fn macro_name(after: &str) -> &str {
    &after[..after.bytes().take_while(u8::is_ascii_alphabetic).count()]
}

/// A backslash before something that is no letter.
fn sign<'a>(after: &'a str, has_rows: bool, braces: &Braces, out: &mut String) -> &'a str {
    let Some(c) = after.chars().next() else { return after };
    let rest = &after[c.len_utf8()..];
    match c {
        '$' => rest,
        '!' => rest.trim_start(),
        ',' | ';' | ':' => emit(out, " ", rest),
        _ if c.is_whitespace() => emit(out, " ", rest),
        // A macro that was escaped once too often, unless rows end this way.
        '\\' if !has_rows && rest.starts_with(|next: char| next.is_ascii_alphabetic()) => {
            escaped(rest, has_rows, braces, out)
        }
        _ => {
            out.push('\\');
            emit(out, &after[..c.len_utf8()], rest)
        }
    }
}

/// `\text` and its kin: empty text goes, a connecting word is a comma, and without words only the braces stay.
fn text_argument<'a>(rest: &'a str, braces: &Braces, out: &mut String) -> &'a str {
    // Without braces it styles one letter.
    let Some(inside) = rest.trim_start().strip_prefix('{') else { return emit(out, " ", rest) };
    let Some((argument, after)) = braces.argument(inside) else { return emit(out, "\\text", rest) };
    match argument.trim().trim_matches('~') {
        "" | "th" => after,
        "and" | "or" => {
            out.truncate(out.trim_end().trim_end_matches(',').len());
            emit(out, ",", after)
        }
        "percent" | "percentage" | "pct" => emit(out, "\\%", after),
        // Numbers and formulas are read like any others.
        formula if is_formula(formula) => rest,
        _ => emit(out, "\\text", rest.trim_start()),
    }
}

/// No letters, or a fraction, root or π at the start.
fn is_formula(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '('));
    let name = start.strip_prefix('\\').map_or("", macro_name);
    matches!(name, "frac" | "dfrac" | "tfrac" | "sqrt" | "pi") || !text.contains(char::is_alphabetic)
}
