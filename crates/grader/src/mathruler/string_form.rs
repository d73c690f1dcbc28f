//! The string form of an answer (the clean-up of the MATH benchmark): two answers with one form are equal.
//!
//! Its oddities are kept: `\sqrt12` is `\sqrt{1}2`, and a step that cannot go on throws the whole form away.

use super::python::trim;

/// The form of `text`; where the clean-up fails, the text itself without an enclosing `\text{…}`.
pub(crate) fn string_form(text: &str) -> String {
    let text = trim(text);
    let bare = enclosed_text(text).map_or(text, trim);
    Variant::MATH.apply(bare).unwrap_or_else(|| bare.to_owned())
}

/// The variant of the string form in MATH-Vision's scoring: the last step of its answer clean-up.
///
/// It keeps a bare `%` and drops every `$`, cuts at `=` and `\approx` however much precedes them, and braces the arguments
/// of `\sqrt` and `\frac` only in a text with a root.
#[must_use]
pub fn mathvision_string_form(text: &str) -> String {
    Variant::MATH_VISION.apply(text).unwrap_or_else(|| text.to_owned())
}

/// What `\text{…}` encloses, if it is the whole text: at least one character, on one line.
pub(crate) fn enclosed_text(text: &str) -> Option<&str> {
    let inside = text.strip_prefix(r"\text{")?.strip_suffix('}')?;
    (!inside.is_empty() && !inside.contains('\n')).then_some(inside)
}

/// Where the two benchmarks' clean-ups part.
struct Variant {
    /// Whether all `$` go, and bare `%` stay, instead of the other way round.
    dollars: bool,
    /// Characters that may stand before an `=` for the left side to go.
    left_side: usize,
    /// Whether `\approx` is cut like `=`.
    approx: bool,
    /// Whether only a text with a root has its arguments braced, and a macro without argument is left alone.
    roots_only: bool,
}

impl Variant {
    const MATH: Self = Self { dollars: false, left_side: 2, approx: false, roots_only: false };
    const MATH_VISION: Self = Self { dollars: true, left_side: usize::MAX, approx: true, roots_only: true };

    /// `None`: the clean-up fails.
    fn apply(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for (from, to) in [
            ("\n", ""),
            (r"\!", ""),
            (r"\\", r"\"),
            ("tfrac", "frac"),
            ("dfrac", "frac"),
            (r"\left", ""),
            (r"\right", ""),
            (r"^{\circ}", ""),
            (r"^\circ", ""),
            (r"\$", ""),
        ] {
            replace(&mut text, from, to);
        }
        if self.dollars {
            replace(&mut text, "$", "");
        }
        // A unit: `\text{ ` with the space. Of several nobody knows which one.
        if let Some((before, after)) = text.split_once(r"\text{ ") {
            if after.contains(r"\text{ ") {
                return None;
            }
            text = before.to_owned();
        }
        replace(&mut text, r"\%", "");
        if !self.dollars {
            replace(&mut text, "%", "");
        }
        replace(&mut text, " .", " 0.");
        replace(&mut text, "{.", "{0.");
        if text.is_empty() {
            return Some(text);
        }
        if text.starts_with('.') {
            text.insert(0, '0');
        }
        text = self.right_side(&text, "=");
        if self.approx {
            text = self.right_side(&text, r"\approx");
        }
        if !self.roots_only || text.contains("sqrt") {
            text = self.brace_roots(&text)?;
            replace(&mut text, " ", "");
            text = self.brace_fractions(text)?;
        } else {
            replace(&mut text, " ", "");
        }
        if text == "0.5" {
            return Some(r"\frac{1}{2}".to_owned());
        }
        Some(slash_to_fraction(text))
    }

    /// What follows the one `sign` of the text, if little enough stands before it.
    fn right_side(&self, text: &str, sign: &str) -> String {
        match text.split_once(sign) {
            Some((left, right)) if !right.contains(sign) && left.chars().count() <= self.left_side => right.to_owned(),
            _ => text.to_owned(),
        }
    }

    /// Braces the one character after every `\sqrt` that no brace follows.
    fn brace_roots(&self, text: &str) -> Option<String> {
        const ROOT: &str = r"\sqrt";
        let mut parts = text.split(ROOT);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str(ROOT);
            match part.chars().next() {
                None if !self.roots_only => return None,
                None | Some('{') => out.push_str(part),
                Some(c) => {
                    brace(&mut out, c);
                    out.push_str(&part[c.len_utf8()..]);
                }
            }
        }
        Some(out)
    }

    /// Braces the one character after every `\frac` that no brace follows, and the one after it unless it is a brace.
    fn brace_fractions(&self, text: String) -> Option<String> {
        const FRACTION: &str = r"\frac";
        let mut parts = text.split(FRACTION);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str(FRACTION);
            let mut chars = part.chars();
            match (chars.next(), chars.next()) {
                (None, _) if !self.roots_only => return None,
                (Some('{'), _) => out.push_str(part),
                (Some(a), Some(b)) => {
                    brace(&mut out, a);
                    if b == '{' {
                        out.push(b)
                    } else {
                        brace(&mut out, b)
                    }
                    out.push_str(chars.as_str());
                }
                // One character is no fraction: the step is undone, in the places before as well.
                _ => return Some(text),
            }
        }
        Some(out)
    }
}

fn brace(out: &mut String, c: char) {
    out.extend(['{', c, '}']);
}

/// `a/b` as `\frac{a}{b}`, if both are integers as Python prints them.
fn slash_to_fraction(text: String) -> String {
    match text.split_once('/') {
        Some((a, b)) if is_canonical_integer(a) && is_canonical_integer(b) => format!(r"\frac{{{a}}}{{{b}}}"),
        _ => text,
    }
}

fn is_canonical_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text == "0" || (digits.starts_with(|c: char| matches!(c, '1'..='9')) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Replaces in place; most texts hold none of what is looked for.
pub(crate) fn replace(text: &mut String, from: &str, to: &str) {
    if text.contains(from) {
        *text = text.replace(from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_becomes_the_argument_of_a_root_or_fraction() {
        assert_eq!(string_form(r"\sqrt12"), r"\sqrt{1}2");
        assert_eq!(string_form(r"\sqrt[3]{8}"), r"\sqrt{[}3]{8}");
        assert_eq!(string_form(r"\frac12 + \dfrac1{72}"), r"\frac{1}{2}+\frac{1}{72}");
        assert_eq!(string_form(r"\frac1"), r"\frac1");
        assert_eq!(string_form(r"\frac12\frac1"), r"\frac12\frac1");
    }

    #[test]
    fn a_failing_step_gives_the_text_back() {
        for text in [r"1 + \sqrt", r"1 + \frac", r"\sqrt \sqrt{2}\sqrt", r"3\text{ a}\text{ b} "] {
            assert_eq!(string_form(text), text.trim());
        }
        assert_eq!(string_form(r"\text{ 1 + \sqrt }"), r"1 + \sqrt");
    }

    #[test]
    fn short_left_sides_units_and_decoration_go() {
        assert_eq!(string_form("x = 5"), "5");
        assert_eq!(string_form("xyz = 5"), "xyz=5");
        assert_eq!(string_form("x = y = 5"), "x=y=5");
        assert_eq!(string_form(r"18\text{ kg}"), "18");
        assert_eq!(string_form(r"\$ .5\%"), r"\frac{1}{2}");
        assert_eq!(string_form(r"\left( 30^{\circ} \right)"), "(30)");
        assert_eq!(string_form("3/4"), r"\frac{3}{4}");
        assert_eq!(string_form("03/4"), "03/4");
        assert_eq!(string_form(r"\text{C}"), "C");
        assert_eq!(string_form("%"), "");
    }

    #[test]
    fn the_mathvision_variant_differs_where_its_scoring_does() {
        assert_eq!(mathvision_string_form("area = 3.12"), "3.12");
        assert_eq!(mathvision_string_form(r"x \approx 3"), "3");
        assert_eq!(mathvision_string_form(r"$5$ %"), "5%");
        assert_eq!(mathvision_string_form(r"\frac58"), r"\frac58");
        assert_eq!(mathvision_string_form(r"\frac58\sqrt8"), r"\frac{5}{8}\sqrt{8}");
        assert_eq!(mathvision_string_form(r"2\sqrt"), r"2\sqrt");
        assert_eq!(mathvision_string_form(r"\sqrt2\frac"), r"\sqrt{2}\frac");
    }
}
