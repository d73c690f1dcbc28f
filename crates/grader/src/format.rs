//! Whether a response has the shape that a format reward asks for. Linear scans: as backtracking patterns, these checks take
//! seconds on 12 kB of repeated `</think>\boxed{`.

use crate::mathruler::python::is_space;

/// True if `text` starts with `<think>`, and `</think>`, then `\boxed{`, then `}` follow in this order.
#[must_use]
pub fn format_think(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix("<think>") else { return false };
    for part in ["</think>", r"\boxed{", "}"] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// True if `text` starts with `<think>`, ends with `</answer>`, and has `</think>`, whitespace and `<answer>` between.
#[must_use]
pub fn format_answer(text: &str) -> bool {
    let Some(inside) = text.strip_prefix("<think>").and_then(|rest| rest.strip_suffix("</answer>")) else {
        return false;
    };
    inside
        .match_indices("</think>")
        .any(|(at, tag)| inside[at + tag.len()..].trim_start_matches(is_space).starts_with("<answer>"))
}

/// `text` without the whitespace around `<`, `>` and `/`, as EasyR1's math reward grades it.
#[must_use]
pub fn easyr1_squeeze(text: &str) -> String {
    const TIGHT: [char; 3] = ['<', '>', '/'];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(TIGHT) {
        // All three are one byte long.
        let (before, after) = rest.split_at(at);
        out.push_str(before.trim_end_matches(is_space));
        out.push_str(&after[..1]);
        rest = after[1..].trim_start_matches(is_space);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_think_wants_its_parts_in_order() {
        assert!(format_think(r"<think>a</think> so \boxed{1} ."));
        assert!(format_think("<think></think>\n\\boxed{}"));
        for text in [
            "",
            r" <think>a</think>\boxed{1}",
            r"<think>\boxed{1}</think>",
            r"<think>a</think>\boxed{1",
            r"<think>a</think>}\boxed{",
        ] {
            assert!(!format_think(text), "{text}");
        }
    }

    #[test]
    fn format_answer_wants_the_answer_after_the_thought_and_nothing_behind() {
        assert!(format_answer("<think>a</think> \n <answer>1</answer>"));
        assert!(format_answer("<think>a</think> or </think><answer>1</answer> or </answer>"));
        for text in [
            "",
            "<think>a</think><answer>1</answer> ",
            "<think>a</think> so <answer>1</answer>",
            "<think>a</think><answer>",
            "<think><answer></think></answer>",
        ] {
            assert!(!format_answer(text), "{text}");
        }
    }

    #[test]
    fn squeezing_deletes_whitespace_around_brackets_and_slashes_only() {
        assert_eq!(easyr1_squeeze("< think >\n a b </ think >  1 / 2 "), "<think>a b</think>1/2 ");
        assert_eq!(easyr1_squeeze(" < \t> "), "<>");
        assert_eq!(easyr1_squeeze("a\u{1f}/b"), "a/b");
    }

    #[test]
    fn a_megabyte_of_near_misses_is_scanned_once() {
        let near = r"</think>\boxed{".repeat(70_000);
        assert!(!format_think(&format!("<think>{near}")));
        assert!(!format_answer(&format!("<think>{}</answer>", "</think> ".repeat(100_000))));
        assert_eq!(easyr1_squeeze(&" < ".repeat(300_000)).len(), 300_000);
    }
}
