//! A `tokenizer.json` with a wall between text and added tokens.
//!
//! The `tokenizers` crate does normalisation, pre-tokenisation and the model. Added tokens are kept here instead of in
//! it: its switch for encoding special tokens as text covers only those marked special, and a vocabulary that lists
//! `<|im_end|>` as an ordinary word would match it regardless.

mod bytes;
mod count;
mod load;
mod stream;

use std::collections::HashMap;

use tokenizers::Decoder as _;

use crate::{Error, Result};
use bytes::Bytes;
pub use stream::StreamDecoder;

/// A token that the file adds beside the model's vocabulary, or that the chat template needs.
#[derive(Clone, Debug)]
struct Added {
    content: String,
    /// Left out by decoding with `skip_special`.
    special: bool,
}

/// A loaded tokenizer. Immutable, and safe to use from several threads.
pub struct Tokenizer {
    /// Where it came from, for messages.
    name: String,
    /// The tokenizer without added tokens: text meets only this one.
    plain: tokenizers::Tokenizer,
    added: HashMap<u32, Added>,
    /// Ids that text may not produce: those of special and template tokens.
    reserved: Vec<u32>,
    /// Present when tokens spell bytes, as in every byte-level BPE.
    bytes: Option<Bytes>,
    vocab_size: usize,
}

impl Tokenizer {
    /// Largest id plus one. The embedding may have more rows.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id of a token by its exact string, added tokens first.
    pub fn id(&self, token: &str) -> Option<u32> {
        let added = self.added.iter().find(|(_, added)| added.content == token).map(|(&id, _)| id);
        added.or_else(|| self.plain.token_to_id(token))
    }

    /// The id of a token that must exist. Errors: `E_TOKENIZER` naming file and token.
    pub fn require(&self, token: &str) -> Result<u32> {
        self.id(token).ok_or_else(|| self.error(format!("has no token {token:?}")))
    }

    /// The string of an id as the vocabulary spells it, `None` for an id of no token.
    pub fn token(&self, id: u32) -> Option<String> {
        self.added.get(&id).map(|added| added.content.clone()).or_else(|| self.plain.id_to_token(id))
    }

    /// Whether decoding with `skip_special` leaves this id out.
    pub fn is_special(&self, id: u32) -> bool {
        self.added.get(&id).is_some_and(|added| added.special)
    }

    /// Encodes text from data. An added token spelled in the text stays text, whatever the file says about it; nothing
    /// is put before or after.
    ///
    /// Errors: `E_TOKENIZER` when the model cannot encode the text, or when its own vocabulary would turn text into a
    /// special token.
    pub fn encode_text(&self, text: &str) -> Result<Vec<u32>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let encoding = self.plain.encode_fast(text, false).map_err(|error| self.error(error.to_string()))?;
        let ids = encoding.get_ids();
        if let Some(id) = ids.iter().find(|id| self.reserved.binary_search(id).is_ok()) {
            let token = self.token(*id).unwrap_or_default();
            return Err(self.error(format!("text encodes to the special token {token:?} ({id})")));
        }
        Ok(ids.to_vec())
    }

    /// Encodes text in which added tokens are recognised, the longest at each place first. Only for text that the
    /// program itself wrote, or on an explicit wish: a question can forge a turn this way.
    ///
    /// Errors: `E_TOKENIZER` when the model cannot encode the text.
    pub fn encode_with_added(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        let (mut plain_from, mut at) = (0, 0);
        while at < text.len() {
            let rest = &text[at..];
            let found = self.added.iter().filter(|(_, added)| rest.starts_with(&added.content));
            if let Some((&id, added)) = found.max_by_key(|(_, added)| added.content.len()) {
                ids.extend(self.encode_text(&text[plain_from..at])?);
                ids.push(id);
                at += added.content.len();
                plain_from = at;
            } else {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        ids.extend(self.encode_text(&text[plain_from..])?);
        Ok(ids)
    }

    /// The text of `ids`. Bytes that are not UTF-8 become U+FFFD; ids of no token are left out, and with
    /// `skip_special` those of special tokens too.
    ///
    /// Errors: `E_TOKENIZER` when the file's decoder fails.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        let kept = ids.iter().filter(|&&id| !(skip_special && self.is_special(id)));
        if let Some(bytes) = &self.bytes {
            let spelled: Vec<u8> = kept.filter_map(|&id| self.token(id)).flat_map(|token| bytes.of(&token)).collect();
            return Ok(String::from_utf8_lossy(&spelled).into_owned());
        }
        let tokens: Vec<String> = kept.filter_map(|&id| self.token(id)).collect();
        match self.plain.get_decoder() {
            Some(decoder) => decoder.decode(tokens).map_err(|error| self.error(error.to_string())),
            None => Ok(tokens.join(" ")),
        }
    }

    fn error(&self, reason: String) -> Error {
        Error::Tokenizer { file: self.name.clone(), reason }
    }
}
