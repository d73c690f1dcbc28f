//! What each LaTeX macro becomes as text, after the tables of pylatexenc 2.10 as far as answers use them.

use super::signs::sign;

/// How the text of a macro is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// This text.
    Sign(&'static str),
    /// The text of its arguments.
    Content,
    /// Nothing, arguments included.
    Nothing,
    /// These pieces with the arguments between; the placeholder `%s` for each that there is none of.
    Around(&'static [&'static str]),
    /// The last argument between two pieces. Fails without arguments.
    Last(&'static str, &'static str),
    /// The argument's letters in a mathematical alphabet.
    Alphabet(&'static Alphabet),
    /// The argument's characters, each followed by this combining one.
    Accent(char),
}

/// The shape of a macro's arguments: `{` required, `[` optional, `*` an optional star.
type Arguments = &'static str;

/// First capital, first small letter, and the letters that Unicode had elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alphabet {
    capital: u32,
    small: u32,
    elsewhere: &'static [(char, char)],
}

impl Alphabet {
    pub(super) fn letter(&self, c: char) -> char {
        if let Some((_, sign)) = self.elsewhere.iter().find(|(plain, _)| *plain == c) {
            return *sign;
        }
        let code = match c {
            'A'..='Z' => self.capital + (c as u32 - 'A' as u32),
            'a'..='z' => self.small + (c as u32 - 'a' as u32),
            _ => return c,
        };
        char::from_u32(code).unwrap_or(c)
    }
}

const BOLD: Alphabet = Alphabet { capital: 0x1d400, small: 0x1d41a, elsewhere: &[] };
const ITALIC: Alphabet = Alphabet { capital: 0x1d434, small: 0x1d44e, elsewhere: &[('h', 'ℎ')] };
const SANS: Alphabet = Alphabet { capital: 0x1d5a0, small: 0x1d5ba, elsewhere: &[] };
const TYPEWRITER: Alphabet = Alphabet { capital: 0x1d670, small: 0x1d68a, elsewhere: &[] };
const DOUBLE_STRUCK: Alphabet = Alphabet {
    capital: 0x1d538,
    small: 0x1d552,
    elsewhere: &[('C', 'ℂ'), ('H', 'ℍ'), ('N', 'ℕ'), ('P', 'ℙ'), ('Q', 'ℚ'), ('R', 'ℝ'), ('Z', 'ℤ')],
};
const FRAKTUR: Alphabet = Alphabet {
    capital: 0x1d504,
    small: 0x1d51e,
    elsewhere: &[('C', 'ℭ'), ('H', 'ℌ'), ('I', 'ℑ'), ('R', 'ℜ'), ('Z', 'ℨ')],
};
const SCRIPT: Alphabet = Alphabet {
    capital: 0x1d49c,
    small: 0x1d4b6,
    elsewhere: &[
        ('B', 'ℬ'),
        ('E', 'ℰ'),
        ('F', 'ℱ'),
        ('H', 'ℋ'),
        ('I', 'ℐ'),
        ('L', 'ℒ'),
        ('M', 'ℳ'),
        ('R', 'ℛ'),
        ('e', 'ℯ'),
        ('g', 'ℊ'),
        ('o', 'ℴ'),
    ],
};

/// Arguments and rule of a macro; a macro without a rule has no arguments and becomes nothing, so that braces after it stay.
pub(super) fn rule(name: &str) -> (Arguments, Rule) {
    match name {
        "frac" | "nicefrac" => ("{{", Rule::Around(&["", "/", ""])),
        "sqrt" => ("[{", Rule::Last("√(", ")")),
        "bra" => ("{", Rule::Around(&["⟨", "|"])),
        "ket" => ("{", Rule::Around(&["|", "⟩"])),
        "braket" => ("{{", Rule::Around(&["⟨", "|", "⟩"])),
        "ketbra" => ("{{", Rule::Around(&["|", "⟩⟨", "|"])),
        "text" | "mathrm" | "textbf" | "textit" | "textrm" | "textsc" | "textsl" | "emph" => ("{", Rule::Content),
        "overline"
        | "underline"
        | "widehat"
        | "widetilde"
        | "wideparen"
        | "overleftarrow"
        | "overrightarrow"
        | "overleftrightarrow"
        | "underleftarrow"
        | "underrightarrow"
        | "underleftrightarrow"
        | "overleftharpoon"
        | "overrightharpoon"
        | "overlinesegment"
        | "underlinesegment"
        | "overbracket"
        | "underbracket"
        | "overgroup"
        | "undergroup"
        | "overbrace"
        | "underbrace" => ("{", Rule::Around(&["", ""])),
        "mbox" | "texttt" | "textsf" | "textmd" | "textup" | "ensuremath" | "label" => ("{", Rule::Nothing),
        "hspace" => ("*{", Rule::Nothing),
        "color" | "hphantom" | "vphantom" | "xrightarrow" | "xleftarrow" => ("[{", Rule::Nothing),
        "textcolor" | "colorbox" => ("[{{", Rule::Last("", "")),
        "fcolorbox" => ("[{[{{", Rule::Last("", "")),
        "vspace" => ("*{", Rule::Sign("\n")),
        "\\" => ("*[", Rule::Sign("\n")),
        "mathbf" => ("{", Rule::Alphabet(&BOLD)),
        "mathit" => ("{", Rule::Alphabet(&ITALIC)),
        "mathsf" => ("{", Rule::Alphabet(&SANS)),
        "mathtt" => ("{", Rule::Alphabet(&TYPEWRITER)),
        "mathbb" => ("{", Rule::Alphabet(&DOUBLE_STRUCK)),
        "mathcal" | "mathscr" => ("{", Rule::Alphabet(&SCRIPT)),
        "mathfrak" => ("{", Rule::Alphabet(&FRAKTUR)),
        _ => match accent(name) {
            Some(combining) => ("{", Rule::Accent(combining)),
            None => ("", sign(name).map_or(Rule::Nothing, Rule::Sign)),
        },
    }
}

fn accent(name: &str) -> Option<char> {
    Some(match name {
        "hat" | "^" => '\u{302}',
        "bar" => '\u{305}',
        "=" => '\u{304}',
        "vec" => '\u{20d7}',
        "dot" | "." => '\u{307}',
        "ddot" | "\"" => '\u{308}',
        "tilde" | "~" => '\u{303}',
        "check" | "v" => '\u{30c}',
        "breve" | "u" => '\u{306}',
        "acute" | "'" => '\u{301}',
        "grave" | "`" => '\u{300}',
        "not" => '\u{338}',
        "c" => '\u{327}',
        "H" => '\u{30b}',
        "k" => '\u{328}',
        "b" => '\u{331}',
        "d" => '\u{323}',
        "r" => '\u{30a}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_know_the_letters_that_unicode_had_elsewhere() {
        assert_eq!(['D', 'x', '7'].map(|c| BOLD.letter(c)), ['𝐃', '𝐱', '7']);
        assert_eq!(['R', 'x'].map(|c| DOUBLE_STRUCK.letter(c)), ['ℝ', '𝕩']);
        assert_eq!(['A', 'e'].map(|c| SCRIPT.letter(c)), ['𝒜', 'ℯ']);
    }
}
