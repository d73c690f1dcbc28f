//! Decoding as tokens arrive.

use super::Tokenizer;
use crate::Result;

/// Turns ids into text one by one. Pieces are whole characters, and joined with [`finish`](Self::finish) they equal
/// [`Tokenizer::decode`] of all ids.
#[derive(Clone, Debug, Default)]
pub struct StreamDecoder {
    skip_special: bool,
    /// Byte-level tokenizers: the bytes of a character that is not complete yet, at most three.
    pending: Vec<u8>,
    /// Other tokenizers: the last id that gave text, because a decoder may put something between two tokens.
    previous: Option<u32>,
}

impl StreamDecoder {
    /// With `skip_special`, special tokens give no text.
    pub fn new(skip_special: bool) -> Self {
        Self { skip_special, ..Self::default() }
    }

    /// The text that is complete with this id, possibly none. Errors: `E_TOKENIZER`.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> Result<String> {
        if self.skip_special && tokenizer.is_special(id) {
            return Ok(String::new());
        }
        let Some(token) = tokenizer.token(id) else {
            return Ok(String::new());
        };
        if let Some(bytes) = &tokenizer.bytes {
            self.pending.extend(bytes.of(&token));
            return Ok(take_complete(&mut self.pending));
        }
        let before = self.previous.map_or(Ok(String::new()), |previous| tokenizer.decode(&[previous], false))?;
        let both: Vec<u32> = self.previous.into_iter().chain([id]).collect();
        let text = tokenizer.decode(&both, false)?;
        self.previous = Some(id);
        Ok(text.strip_prefix(&before).unwrap_or(&text).to_owned())
    }

    /// What is left when no id follows: U+FFFD for a character that never became complete, else nothing.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned()
    }
}

/// Removes and returns everything up to an incomplete last character. Bytes that can never become a character are
/// complete: they are U+FFFD whatever follows.
fn take_complete(bytes: &mut Vec<u8>) -> String {
    let mut end = 0;
    while let Err(error) = std::str::from_utf8(&bytes[end..]) {
        end += error.valid_up_to();
        match error.error_len() {
            Some(len) => end += len,
            None => {
                let rest = bytes.split_off(end);
                let text = String::from_utf8_lossy(bytes).into_owned();
                *bytes = rest;
                return text;
            }
        }
    }
    String::from_utf8_lossy(&std::mem::take(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_character_is_given_out_once_its_last_byte_arrives() {
        let mut pending = Vec::new();
        let mut pieces = Vec::new();
        for byte in "aé漢🙂".bytes() {
            pending.push(byte);
            pieces.push(take_complete(&mut pending));
        }
        assert_eq!(pieces, ["a", "", "é", "", "", "漢", "", "", "", "🙂"]);
    }

    proptest! {
        #[test]
        fn any_cutting_of_any_bytes_gives_the_text_of_the_whole(
            chunks in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), 0x80u8..=0xf4], 0..5), 0..20),
        ) {
            let mut pending = Vec::new();
            let mut text = String::new();
            for chunk in &chunks {
                pending.extend(chunk);
                text += &take_complete(&mut pending);
                prop_assert!(pending.len() <= 3);
            }
            text += &String::from_utf8_lossy(&pending);
            let whole: Vec<u8> = chunks.concat();
            prop_assert_eq!(text, String::from_utf8_lossy(&whole));
        }
    }
}
