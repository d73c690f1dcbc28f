//! Asking long work to end early.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// What long calls ask between tokens and between micro-batches. A flag that another thread raises is the usual one.
pub trait Cancel: Sync {
    /// Whether the caller wants no more of this work.
    fn is_raised(&self) -> bool;

    /// `E_ABORTED` once raised.
    fn check(&self) -> Result<()> {
        if self.is_raised() { Err(Error::Aborted) } else { Ok(()) }
    }
}

impl Cancel for AtomicBool {
    fn is_raised(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}
