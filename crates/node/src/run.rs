//! Run folders for JavaScript: the lock of a run, and the newest checkpoint that is intact.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use coldstart_checkpoint::{RunLock as Lock, Store};
use napi_derive::napi;

use crate::failure::{Failure, Outcome, guarded, outcome};
use crate::number::whole;

/// The lock of a run folder, without which nothing in it is moved; released by `release`, by the collector, or by the end of the process.
#[napi]
pub struct RunLock {
    lock: Mutex<Option<Lock>>,
    checkpoints: PathBuf,
}

#[napi]
impl RunLock {
    /// Idempotent.
    #[napi]
    pub fn release(&self) {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Moves the checkpoints after `step` out of the way of a run that goes on from there; returns where they went.
    #[napi(ts_return_type = "string[] | Failure")]
    pub fn supersede_after(&self, step: f64) -> Outcome<Vec<String>> {
        outcome(guarded(|| {
            let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            let lock = held.as_ref().ok_or_else(|| Failure::new("E_CLOSED", "this run folder was closed"))?;
            let moved = Store::open(&self.checkpoints)?.supersede_after(whole("step", step)?, lock)?;
            Ok(moved.iter().map(|path| path.display().to_string()).collect())
        }))
    }
}

/// Takes the lock of `folder`, or fails with `E_BUSY` naming its holder. What interrupted saves left in `checkpoints` is removed.
#[napi(ts_return_type = "RunLock | Failure")]
pub fn lock_run(folder: String) -> Outcome<RunLock> {
    outcome(guarded(|| {
        let lock = Lock::acquire(&folder)?;
        let checkpoints = Path::new(&folder).join("checkpoints");
        if checkpoints.is_dir() {
            Store::open(&checkpoints)?.clean_up(&lock);
        }
        Ok(RunLock { lock: Mutex::new(Some(lock)), checkpoints })
    }))
}

/// A checkpoint that passed verification.
#[napi(object)]
pub struct FoundCheckpoint {
    pub path: String,
    /// Newer ones that did not pass, with the reason.
    pub rejected: Vec<String>,
}

/// The newest intact checkpoint under `root`; nothing when there is none at all, `E_CKPT_CORRUPT` when none of them is intact.
#[napi(ts_return_type = "FoundCheckpoint | null | Failure")]
pub fn latest_checkpoint(root: String) -> Outcome<Option<FoundCheckpoint>> {
    outcome(guarded(|| {
        let store = Store::open(&root)?;
        let Some(found) = store.latest()? else { return Ok(None) };
        Ok(Some(FoundCheckpoint {
            path: found.path().display().to_string(),
            rejected: found.rejected.iter().map(|r| format!("{}: {}", r.path.display(), r.reason)).collect(),
        }))
    }))
}
