//! The macros that stand for one sign or name.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Name and text in turn, as pylatexenc 2.10 has them. Absent on purpose, as there: `ne lt gt triangle degree cot sec csc gcd
/// det binom implies colon`.
const TABLE: &str = include_str!("signs.txt");

/// Texts that a table between spaces cannot hold.
const SPACES: [(&str, &str); 12] = [
    (" ", " "),
    (",", " "),
    ("-", "\u{ad}"),
    (":", " "),
    (";", " "),
    ("enskip", "\u{2002}"),
    ("liminf", "lim inf"),
    ("limsup", "lim sup"),
    ("nolinebreak", "\u{2060}"),
    ("qquad", "    "),
    ("quad", "  "),
    ("textcompwordmark", "\u{200c}"),
];

static SIGNS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let mut words = TABLE.split_whitespace();
    let pairs = std::iter::from_fn(|| words.next().zip(words.next()));
    pairs.chain(SPACES).collect()
});

/// The text of a macro.
pub(super) fn sign(name: &str) -> Option<&'static str> {
    SIGNS.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_macro_of_the_table_is_named_once_and_has_a_text() {
        assert_eq!(TABLE.split_whitespace().count() % 2, 0);
        assert_eq!(SIGNS.len(), TABLE.split_whitespace().count() / 2 + SPACES.len());
    }

    #[test]
    fn signs_that_answers_seldom_have_are_known() {
        for (name, text) in [("varnothing", "∅"), ("complement", "∁"), ("AE", "Æ"), ("leftrightharpoons", "⇋")] {
            assert_eq!(sign(name), Some(text), "{name}");
        }
        assert_eq!(sign("triangle"), None);
    }
}
