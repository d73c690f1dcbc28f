//! What Python's `str` and `float` do, where Rust's differ: the verdicts to reproduce were made by them.

use unicode_categories::UnicodeCategories;

/// First digits of the 66 decimal digit ranges of Unicode 15 beyond ASCII's (category Nd), each ten long.
const ZEROS: [u32; 65] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
    0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0,
    0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// `str.isspace` of one character: White_Space and the four ASCII information separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `str.strip()`.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.isalpha` of one character: the categories L*. (Rust's `is_alphabetic` adds letter numbers and vowel signs.)
pub(crate) fn is_alpha(c: char) -> bool {
    c.is_ascii_alphabetic() || (!c.is_ascii() && c.is_letter())
}

/// The value of a decimal digit of any script, as `\d` and `float` see it.
pub(crate) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let code = c as u32;
    let zero = ZEROS[..ZEROS.partition_point(|&zero| zero <= code)].last()?;
    u8::try_from(code - zero).ok().filter(|&value| value < 10)
}

/// `float(text)`; `None` where Python raises.
///
/// Sign, digits with single underscores between, one point, an exponent, surrounding whitespace, digits of any script, and
/// `inf`, `infinity`, `nan` in any case.
pub(crate) fn float(text: &str) -> Option<f64> {
    // Here, unlike in `strip`, ASCII whitespace leaves the information separators out.
    let text = text.trim_matches(|c: char| if c.is_ascii() { matches!(c, '\t'..='\r' | ' ') } else { is_space(c) });
    if !text.ends_with(|c: char| digit(c).is_some() || c == '.' || c.is_ascii_alphabetic()) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if let Some(value) = digit(c) {
            plain.push(char::from(b'0' + value));
        } else if c == '_' {
            // An underscore stands between two digits.
            let after_digit = plain.ends_with(|c: char| c.is_ascii_digit());
            if !after_digit || chars.peek().is_none_or(|&next| digit(next).is_none()) {
                return None;
            }
        } else {
            plain.push(c);
        }
    }
    // Rust's grammar of what is left is the same: signs, `inf`, `infinity` and `nan` included.
    plain.parse().ok()
}

/// `int(round(x))`, if `x` is finite and within 1e-7 of an integer.
pub(crate) fn near_integer(x: f64) -> Option<f64> {
    let rounded = x.round_ties_even();
    // Infinite and NaN differences fail the comparison.
    ((x - rounded).abs() <= 1e-7).then_some(rounded)
}

/// All digits of a double without fraction; no sign on zero.
pub(crate) fn integer_text(x: f64) -> String {
    format!("{:.0}", x + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_accepts_what_python_accepts() {
        for (text, value) in [
            (" 5\n", 5.0),
            ("\u{2003}5", 5.0),
            ("5\u{85}", 5.0),
            ("1_0", 10.0),
            ("1e1_0", 1e10),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("-0", 0.0),
            ("٣", 3.0),
            ("1e400", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(float(text), Some(value), "{text:?}");
        }
        assert!(float("+nAn").is_some_and(f64::is_nan));
    }

    #[test]
    fn float_refuses_what_python_refuses() {
        for text in [
            "",
            "\u{1c}5",
            "1__0",
            "_1",
            "1_",
            "1_.0",
            "1._0",
            ".",
            "e5",
            "5e",
            "- 5",
            "0x10",
            "１．５",
            "1,000",
            "--5",
        ] {
            assert_eq!(float(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_finite_numbers_near_an_integer_are_integers() {
        assert_eq!(near_integer(7.999_999_95), Some(8.0));
        assert_eq!(near_integer(-1e-9).map(integer_text).as_deref(), Some("0"));
        assert_eq!(near_integer(1e22).map(integer_text).as_deref(), Some("10000000000000000000000"));
        for x in [7.999_999_8, 0.5, f64::INFINITY, f64::NAN] {
            assert_eq!(near_integer(x), None, "{x}");
        }
    }

    #[test]
    fn letters_are_the_categories_l() {
        assert!(['a', 'π', 'А', '𝐃', 'ª', '中'].into_iter().all(is_alpha));
        assert!(!['1', 'Ⅷ', 'ⓐ', '\u{20d7}', '_', '°'].into_iter().any(is_alpha));
    }

    #[test]
    fn digits_of_every_script_have_a_value() {
        assert_eq!(['7', '٣', '９', '\u{1d7d8}'].map(digit), [Some(7), Some(3), Some(9), Some(0)]);
        assert_eq!(['²', 'x', '\u{66a}', '½'].map(digit), [None; 4]);
    }
}
