//! The errors of this crate. Codes are part of the public interface and are never renamed.

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, for which name, what was expected and what came.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `preprocessor_config.json` says something that cannot be followed.
    #[error("preprocessor_config: {0}")]
    Config(String),
    /// A size that no image may have: a zero side, or one side over 200 times the other.
    #[error("image {width}×{height}: {reason}")]
    ImageLimit { width: u32, height: u32, reason: &'static str },
    /// A number of channels that is none of grey, grey and alpha, RGB, RGB and alpha.
    #[error("image has {channels} channels, expected 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha) of 8 bits")]
    ImageMode { channels: usize },
    /// The pixel buffer does not hold the pixels that were announced.
    #[error("image {width}×{height} with {channels} channels needs {expected} bytes, got {got}")]
    ImageBytes { width: u32, height: u32, channels: usize, expected: u64, got: usize },
    /// The tokenizer file is unusable, or cannot do what was asked.
    #[error("tokenizer {file}: {reason}")]
    Tokenizer { file: String, reason: String },
    /// A conversation that the chat template cannot render.
    #[error("{0}")]
    Template(String),
    /// Images and image placeholders do not match, or an image does not fill whole tokens.
    #[error("message {message}: {what}: expected {expected}, got {got}")]
    TokenCount { message: usize, what: String, expected: usize, got: usize },
    /// The conversation is longer than allowed. It is never cut.
    #[error("conversation has {got} tokens, the limit is {limit}; shorten it, lower max_pixels or raise the limit")]
    TooLong { got: usize, limit: usize },
}

impl Error {
    /// The stable code of this error, for example `E_TOKEN_COUNT`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "E_MODEL",
            Self::ImageLimit { .. } => "E_IMAGE_LIMIT",
            Self::ImageMode { .. } => "E_IMAGE_MODE",
            Self::ImageBytes { .. } => "E_IMAGE_DECODE",
            Self::Tokenizer { .. } => "E_TOKENIZER",
            Self::Template(_) => "E_TEMPLATE",
            Self::TokenCount { .. } => "E_TOKEN_COUNT",
            Self::TooLong { .. } => "E_TOO_LONG",
        }
    }
}
