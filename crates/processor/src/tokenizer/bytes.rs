//! The alphabet of byte-level BPE: every byte has a printable character that stands for it in the vocabulary.

use std::collections::HashMap;

/// From characters of the vocabulary to the bytes they stand for.
pub struct Bytes(HashMap<char, u8>);

impl Bytes {
    /// The table of GPT-2: printable Latin-1 characters stand for themselves, the other bytes get the characters from
    /// U+0100 on, in order.
    pub fn new() -> Self {
        let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let others = (0..=255).filter(|&b| !printable(b)).zip('\u{100}'..).map(|(b, c)| (c, b));
        Self((0..=255).filter(|&b| printable(b)).map(|b| (char::from(b), b)).chain(others).collect())
    }

    /// The bytes of a token. One with a character outside the alphabet, which only an added token can have, stands for
    /// its own UTF-8.
    pub fn of(&self, token: &str) -> Vec<u8> {
        let spelled: Option<Vec<u8>> = token.chars().map(|c| self.0.get(&c).copied()).collect();
        spelled.unwrap_or_else(|| token.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_one_character_for_every_byte() {
        let table = Bytes::new();
        let mut bytes: Vec<u8> = table.0.values().copied().collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(table.of("Ġa"), b" a");
        assert_eq!(table.of("Ċ"), b"\n");
    }

    #[test]
    fn a_token_outside_the_alphabet_stands_for_its_own_text() {
        assert_eq!(Bytes::new().of("a b"), b"a b");
        assert_eq!(Bytes::new().of("漢"), "漢".as_bytes());
    }
}
