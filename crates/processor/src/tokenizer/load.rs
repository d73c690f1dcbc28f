//! Reading `tokenizer.json`: limits first, then the pieces of [`Tokenizer`].

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::{AddedToken, AddedVocabulary, DecoderWrapper, Model as _, ModelWrapper};

use super::count::Count;
use super::{Added, Bytes, Tokenizer};
use crate::prompt::TEMPLATE_TOKENS;
use crate::{Error, Result};

/// Largest file that is read. Published files have 7 to 11 MB.
const MAX_BYTES: u64 = 64 << 20;
/// Most added tokens that are read. Published files have 22; a million of them would take minutes to load.
const MAX_ADDED: usize = 10_000;

/// Most entries of a vocabulary and most merges: twice the largest published ones, and two seconds to load.
const MAX_VOCAB: usize = 500_000;

/// The sizes that are looked at before anything is built.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline {
    added_tokens: Count,
    model: ModelOutline,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ModelOutline {
    vocab: Count,
    merges: Count,
}

impl Outline {
    /// The first size over its limit, in words.
    fn excess(&self) -> Option<String> {
        let Self { added_tokens, model } = self;
        [
            ("added tokens", added_tokens, MAX_ADDED),
            ("words", &model.vocab, MAX_VOCAB),
            ("merges", &model.merges, MAX_VOCAB),
        ]
        .into_iter()
        .find(|(_, count, max)| count.0 > *max)
        .map(|(what, count, max)| format!("has {} {what}, at most {max} are read", count.0))
    }
}

/// The added tokens with the ids that the file gives them.
#[derive(Deserialize)]
struct Listed {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    added_tokens: Vec<Listed>,
}

impl Tokenizer {
    /// Loads a `tokenizer.json`. Errors: `E_TOKENIZER` naming the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let failed = |error: std::io::Error| Error::Tokenizer { file: name.clone(), reason: error.to_string() };
        // The size is asked before reading, so that a huge file costs nothing.
        check_size(&name, std::fs::metadata(&path).map_err(failed)?.len())?;
        Self::from_bytes(&name, &std::fs::read(&path).map_err(failed)?)
    }

    /// Loads the contents of a `tokenizer.json`; `name` stands for it in messages. The model must be BPE or
    /// `WordLevel`. Truncation, padding and dropout in the file are ignored.
    ///
    /// Errors: `E_TOKENIZER` for more than 64 MiB, more than 10,000 added tokens or 500,000 words or merges,
    /// and a file that makes no sense.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let refuse = |reason: String| Error::Tokenizer { file: name.to_owned(), reason };
        check_size(name, bytes.len() as u64)?;
        let outline: Outline = serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        if let Some(excess) = outline.excess() {
            return Err(refuse(excess));
        }
        let listing: Listing = serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        let mut plain = tokenizers::Tokenizer::from_bytes(bytes).map_err(|error| refuse(error.to_string()))?;

        let mut added = HashMap::new();
        for Listed { id, token } in listing.added_tokens {
            let AddedToken { content, special, .. } = token;
            // The library numbers added tokens by itself and only logs when the file disagrees.
            let got = plain.token_to_id(&content);
            if got != Some(id) {
                return Err(refuse(format!("added token {content:?} has id {id} in the list, {got:?} in use")));
            }
            added.insert(id, Added { content, special });
        }
        // A small vocabulary may hold the template's tokens as ordinary words; they are template tokens all the same.
        for token in TEMPLATE_TOKENS {
            if let Some(id) = plain.token_to_id(token) {
                added.entry(id).or_insert(Added { content: token.to_owned(), special: true });
            }
        }
        let vocab_size = largest_id(&plain).map_or(0, |id| id as usize + 1);

        plain.with_added_vocabulary(AddedVocabulary::new());
        plain.with_padding(None);
        plain.with_truncation(None).map_err(|error| refuse(error.to_string()))?;
        let unknown = match plain.get_model() {
            ModelWrapper::BPE(bpe) => {
                let unknown = bpe.unk_token.clone();
                // Replaced only if need be: a copy of the model costs as much memory as the model.
                if bpe.dropout.is_some() {
                    let mut bpe = bpe.clone();
                    bpe.dropout = None;
                    plain.with_model(bpe);
                }
                unknown
            }
            ModelWrapper::WordLevel(words) => {
                let unknown = words.unk_token.clone();
                let words = without_reserved(words, &added).map_err(refuse)?;
                plain.with_model(words);
                Some(unknown)
            }
            _ => return Err(refuse("is neither BPE nor WordLevel".to_owned())),
        };

        // The unknown token is what text becomes when it has no other token: harmless, and expected.
        let guarded = |(_, added): &(&u32, &Added)| is_reserved(added) && Some(&added.content) != unknown.as_ref();
        let mut reserved: Vec<u32> = added.iter().filter(guarded).map(|(&id, _)| id).collect();
        reserved.sort_unstable();
        let bytes = matches!(plain.get_decoder(), Some(DecoderWrapper::ByteLevel(_))).then(Bytes::new);
        Ok(Self { name: name.to_owned(), plain, added, reserved, bytes, vocab_size })
    }
}

/// Added tokens that text may not produce. One that is not special may be an ordinary word of a small vocabulary too,
/// and is then a word like any other.
fn is_reserved(added: &Added) -> bool {
    added.special || TEMPLATE_TOKENS.contains(&added.content.as_str())
}

/// A word vocabulary without its reserved entries: the words of text become unknown instead.
fn without_reserved(words: &WordLevel, added: &HashMap<u32, Added>) -> std::result::Result<WordLevel, String> {
    let unknown = words.unk_token.clone();
    let keep = |word: &String, id: &u32| *word == unknown || !added.get(id).is_some_and(is_reserved);
    let vocab = words.get_vocab().into_iter().filter(|(word, id)| keep(word, id)).collect();
    WordLevel::builder().vocab(vocab).unk_token(unknown.clone()).build().map_err(|error| error.to_string())
}

fn largest_id(tokenizer: &tokenizers::Tokenizer) -> Option<u32> {
    tokenizer.get_vocab(true).into_values().max()
}

fn check_size(name: &str, len: u64) -> Result<()> {
    if len > MAX_BYTES {
        let reason = format!("has {len} bytes, at most {MAX_BYTES} are read");
        return Err(Error::Tokenizer { file: name.to_owned(), reason });
    }
    Ok(())
}
