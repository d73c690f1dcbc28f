//! From the text of an answer to the text that is parsed: markup that carries no meaning goes, and so do units at the end.
//!
//! Every step is one scan from left to right (or from the end); none is repeated until nothing changes.

mod markup;
mod units;
mod words;

pub(super) use markup::balanced;

/// The answer without wrappers, styling and units.
pub(super) fn clean(text: &str) -> String {
    let text = plain(text);
    let text = text.strip_suffix('.').unwrap_or(&text).trim_end();
    units::without(text).to_owned()
}

/// What follows the letter of an option, as in `C. 14`.
pub(super) fn without_label(cleaned: &str) -> Option<&str> {
    let rest = cleaned.strip_prefix(|c: char| c.is_ascii_alphabetic())?;
    rest.strip_prefix(". ")
}

/// The text without wrappers and styling. Units and words stay.
pub(super) fn plain(text: &str) -> String {
    let text = words::replace(&markup::strip(markup::inside(text)));
    text.trim().to_owned()
}

/// What two cleaned texts are compared by: no case, and no space except between digits, where it separates two numbers.
pub(super) fn key(cleaned: &str) -> String {
    let mut key = String::with_capacity(cleaned.len());
    let mut gap = false;
    for c in cleaned.chars() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if gap && c.is_ascii_digit() && key.ends_with(|last: char| last.is_ascii_digit()) {
            key.push(' ');
        }
        gap = false;
        // `8E5` is a number, `8e5` a product.
        if c == 'E' && key.ends_with(|last: char| last.is_ascii_digit()) {
            key.push(c);
        } else {
            key.extend(c.to_lowercase());
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_brace_that_closes_nothing_goes() {
        assert_eq!(clean(r"\frac{7}{32}}. The answer is: \frac{7}{32"), r"\frac{7}{32}");
    }

    #[test]
    fn wrappers_and_styling_go() {
        assert_eq!(clean(r"$\boxed{\dfrac{3}{4}}$"), r"\frac{3}{4}");
        assert_eq!(clean(r"\( \left[ 1,\!000, \displaystyle 3 \right) \)"), r"[ 1,000,  3 )");
        assert_eq!(clean(r"\mathbf{C}."), r"\text{C}");
        assert_eq!(clean(r"2\\frac{1}{2}"), r"2\frac{1}{2}");
    }

    #[test]
    fn connecting_words_are_commas_and_percent_is_a_sign() {
        assert_eq!(clean(r"7 or 11"), "7, 11");
        assert_eq!(clean(r"x=2, and y=3"), "x=2, y=3");
        assert_eq!(clean(r"x=2\text{ and }y=3"), "x=2,y=3");
        assert_eq!(clean("sandor"), "sandor");
        assert_eq!(clean("15.75 percent"), r"15.75\%");
    }

    #[test]
    fn a_unit_at_the_end_goes_when_a_number_is_left() {
        for text in
            ["9 cm", r"9\text{ cm}^2", r"9 \mathrm{~cm}^{2}", "9cm", "9 square inches", "9 litres", "9~\\text{km}."]
        {
            assert_eq!(clean(text), "9", "{text}");
        }
        for text in ["Monday", "the square", "a + b + c", r"n \cdot m", r"\text{cm}", "da"] {
            assert_eq!(clean(text), text, "{text}");
        }
    }

    #[test]
    fn the_key_keeps_two_numbers_apart() {
        assert_eq!(key("Two  Words"), "twowords");
        assert_eq!(key("1 250 km"), "1 250km");
    }
}
