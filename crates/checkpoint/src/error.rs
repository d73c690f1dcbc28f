//! Errors with stable codes.

use std::io;
use std::path::{Path, PathBuf};

use crate::Rejected;

/// What the writer of a checkpoint may fail with.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong between a run and its checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: in use by process {holder}; stop it, or choose another output directory", path.display())]
    Busy { path: PathBuf, holder: String },
    #[error("{}: none of {} checkpoints is intact{}", root.display(), rejected.len(), lines(rejected))]
    Corrupt { root: PathBuf, rejected: Vec<Rejected> },
    /// The previous checkpoints are as they were.
    #[error("checkpoint of step {step} was not saved: {cause}")]
    Save { step: u64, cause: Cause },
    #[error("{}: {needed} bytes are needed for a checkpoint, {free} are free; free some, or choose another output directory", path.display())]
    Space { path: PathBuf, needed: u64, free: u64 },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{name:?} is no file name for a checkpoint: expected a relative path of plain names")]
    Name { name: String },
}

fn lines(rejected: &[Rejected]) -> String {
    rejected.iter().map(|r| format!("\n  {}: {}", r.path.display(), r.reason)).collect()
}

impl Error {
    /// The stable code that crosses the binding.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Busy { .. } => "E_BUSY",
            Error::Corrupt { .. } => "E_CKPT_CORRUPT",
            Error::Save { .. } | Error::Space { .. } => "E_CKPT_SAVE",
            Error::Io { .. } | Error::Name { .. } => "E_PATH",
        }
    }
}

/// Names the path that an I/O error is about.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { path: path.to_path_buf(), source })
    }
}
