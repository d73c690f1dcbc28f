//! Units at the end of an answer.

/// Words that are units after a number, without their plural.
const UNITS: [&str; 85] = [
    "mm",
    "cm",
    "dm",
    "m",
    "km",
    "inch",
    "inche",
    "feet",
    "foot",
    "ft",
    "yard",
    "mile",
    "meter",
    "metre",
    "centimeter",
    "centimetre",
    "kilometer",
    "kilometre",
    "millimeter",
    "millimetre",
    "g",
    "gm",
    "gram",
    "kg",
    "kilogram",
    "lb",
    "pound",
    "hectare",
    "acre",
    "square",
    "sq",
    "cubic",
    "cu",
    "cc",
    "l",
    "liter",
    "litre",
    "ml",
    "mL",
    "gal",
    "gallon",
    "s",
    "sec",
    "second",
    "min",
    "minute",
    "h",
    "hr",
    "hour",
    "day",
    "week",
    "month",
    "yr",
    "year",
    "mph",
    "kmph",
    "kmh",
    "degree",
    "deg",
    "student",
    "apple",
    "coin",
    "toy",
    "tile",
    "edge",
    "digit",
    "meal",
    "monkey",
    "soldier",
    "man",
    "men",
    "woman",
    "women",
    "unit",
    "way",
    "cube",
    "rupee",
    "cent",
    "mark",
    "pie",
    "ohm",
    "t",
    "c",
    "d",
    "o",
];

/// The text without a final `\text{…}` with an optional power and without up to two final unit words, if something is left that a
/// unit can follow.
pub(super) fn without(text: &str) -> &str {
    let text = without_text(text);
    let once = without_word(text);
    let twice = once.and_then(without_word);
    twice.into_iter().chain(once).find(|rest| ends_in_quantity(rest, &text[rest.len()..])).unwrap_or(text)
}

/// `5\text{ cm}^2` and `5\text{ cm}^{2}` → `5`. Where a text would be left, as of `\text{A}\text{B}`, all is the answer.
fn without_text(text: &str) -> &str {
    let mut rest = text;
    while let Some(shorter) = without_last_text(rest) {
        rest = shorter;
    }
    if rest.len() < text.len() && last_text(rest).is_some() { text } else { rest }
}

fn without_last_text(text: &str) -> Option<&str> {
    let rest = text[..last_text(text)?].trim_end();
    // After a sign the text is what the sign applies to.
    let can_follow = |last: char| last.is_alphanumeric() || matches!(last, '}' | ')' | ']' | '%' | '!' | '.');
    rest.ends_with(can_follow).then_some(rest)
}

/// Where the `\text{…}` begins that the text ends in, perhaps with a power.
fn last_text(text: &str) -> Option<usize> {
    let start = text.rfind("\\text")?;
    let inside = text[start + "\\text".len()..].strip_prefix('{')?;
    let power = inside[super::balanced(inside)..].strip_prefix('}')?.trim();
    let digits = power.trim_start_matches(['{', '^']).trim_end_matches('}');
    let is_power =
        power.is_empty() || power.contains('^') && digits.len() == 1 && digits.as_bytes()[0].is_ascii_digit();
    is_power.then_some(start)
}

/// The text without its last word, if that is a unit.
fn without_word(text: &str) -> Option<&str> {
    let rest = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let word = &text[rest.len()..];
    let is_unit = |word: &str| UNITS.contains(&word);
    let known =
        is_unit(word) || word.strip_suffix('s').is_some_and(is_unit) || word.strip_suffix("es").is_some_and(is_unit);
    (known && !rest.ends_with('\\')).then(|| rest.trim_end())
}

/// A number or a term that looks like one. A single letter after a bracket is a factor, not a unit.
fn ends_in_quantity(text: &str, unit: &str) -> bool {
    let is_word = unit.trim().len() > 1;
    text.ends_with(|c: char| c.is_ascii_digit() || c == '}' || (c == ')' || c == 'π') && is_word)
        || text.ends_with("\\pi") && is_word
}
