//! Errors of the objective: a setting out of range, or rows that do not fit together.

/// What can be wrong with a configuration, a batch of rows or a list of rewards.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("{field}: expected {expected}, got {got}")]
    Config { field: &'static str, expected: String, got: String },
    #[error("row {row}: {what} has {got} values for {expected} tokens")]
    Length { row: usize, what: &'static str, expected: usize, got: usize },
    #[error("row {row}: {what} is missing, {reason}")]
    Missing { row: usize, what: &'static str, reason: &'static str },
    #[error("row {row} is outside the update of {rows} rows that the totals were computed from")]
    Index { row: usize, rows: usize },
    #[error("group {group} has one row: {estimator} compares the rows of a group and needs at least two")]
    SingleRow { group: usize, estimator: &'static str },
    #[error("reward of row {row} is {reward}: expected a finite number or null")]
    Reward { row: usize, reward: f64 },
}

impl Error {
    /// The stable code that crosses the binding.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Config { .. } | Error::SingleRow { .. } => "E_CONFIG",
            Error::Length { .. } | Error::Missing { .. } | Error::Index { .. } => "E_USAGE",
            Error::Reward { .. } => "E_REWARD",
        }
    }

    pub(crate) fn config(field: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Error::Config { field, expected: expected.into(), got: got.to_string() }
    }
}

pub type Result<T> = std::result::Result<T, Error>;
