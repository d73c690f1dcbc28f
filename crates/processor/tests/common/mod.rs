//! The two small tokenizers of the tests.

use std::path::PathBuf;

use coldstart_processor::Tokenizer;

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Byte-level BPE as published, cut to 1,024 merges.
pub fn bpe() -> Tokenizer {
    Tokenizer::from_file(fixture("bpe.json")).unwrap()
}

/// Words and single digits.
pub fn words() -> Tokenizer {
    Tokenizer::from_file(fixture("words.json")).unwrap()
}
