//! The engine's one error type. Every variant has a stable code for callers that cannot match on Rust enums.

/// What went wrong. Messages name the field, file, tensor or item, what was expected and what came.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration value that cannot be used.
    #[error("{0}")]
    Config(String),
    /// A model folder that is not one: files missing, unreadable or of another architecture.
    #[error("{0}")]
    Model(String),
    /// A model folder that points outside itself.
    #[error("{0}")]
    ModelUnsafe(String),
    /// A weight file that is damaged or does not fit the configuration.
    #[error("{0}")]
    Weights(String),
    /// Token ids and images of an item disagree, or an id lies outside the vocabulary.
    #[error("{0}")]
    TokenCount(String),
    /// An item longer than the model or the cache allows.
    #[error("{0}")]
    TooLong(String),
    /// Training left the finite numbers.
    #[error("{0}")]
    Diverged(String),
    /// A saved state that belongs to something else.
    #[error("{0}")]
    Mismatch(String),
    /// Use after close.
    #[error("{0}")]
    Closed(String),
    /// The caller raised the abort flag.
    #[error("aborted")]
    Aborted,
    /// A wrong call: an argument outside its range.
    #[error("{0}")]
    Usage(String),
    /// Writing failed; nothing was replaced.
    #[error("{0}")]
    Save(String),
    /// What is wrong with one of several requests.
    #[error("request {index}: {error}")]
    Request { index: usize, error: Box<Error> },
    /// A kernel refused its operands: a defect of the engine, not of the input.
    #[error(transparent)]
    Kernel(#[from] coldstart_kernels::Error),
    /// A tensor operation failed: a defect of the engine, not of the input.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Config(_) => "E_CONFIG",
            Error::Model(_) => "E_MODEL",
            Error::ModelUnsafe(_) => "E_MODEL_UNSAFE",
            Error::Weights(_) => "E_WEIGHTS",
            Error::TokenCount(_) => "E_TOKEN_COUNT",
            Error::TooLong(_) => "E_TOO_LONG",
            Error::Diverged(_) => "E_DIVERGED",
            Error::Mismatch(_) => "E_CKPT_MISMATCH",
            Error::Closed(_) => "E_CLOSED",
            Error::Aborted => "E_ABORTED",
            Error::Usage(_) => "E_USAGE",
            Error::Save(_) => "E_CKPT_SAVE",
            Error::Request { error, .. } => error.code(),
            Error::Kernel(_) | Error::Tensor(_) => "E_NATIVE_PANIC",
        }
    }

    pub(crate) fn of_request(self, index: usize) -> Self {
        Error::Request { index, error: Box::new(self) }
    }
}

/// The engine's result.
pub type Result<T> = std::result::Result<T, Error>;
