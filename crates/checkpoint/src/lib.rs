//! Durable checkpoint directories: atomic commit, verification, retention, run lock. Knows no model.
//!
//! ```text
//! run/
//!     run.lock                    held by the trainer
//!     checkpoints/
//!         .tmp-120-4711-9f3a…/    being written; never read, removed at the next start
//!         step-000100/            complete: the name is the commit record
//!             manifest.json       format, step, what the caller adds, size and sha256 of every file
//!             …
//! ```
//!
//! A checkpoint appears by one rename after everything in it is on the disk, so a crash at any point leaves the previous ones as they
//! were. There is no pointer to the latest: two sources of truth disagree after a crash.
//!
//! ```
//! use coldstart_checkpoint::{RunLock, Store};
//!
//! # let folder = tempfile::tempdir()?;
//! # let run = folder.path();
//! let lock = RunLock::acquire(run)?;
//! let store = Store::open(run.join("checkpoints"))?;
//! store.clean_up(&lock);
//! store.save(100, 3, serde_json::json!({ "seed": 7 }), &mut |writer| Ok(writer.file("weights.bin", &[1, 2, 3])?))?;
//! let checkpoint = store.latest()?.expect("one was saved");
//! assert_eq!((checkpoint.step(), checkpoint.read("weights.bin")?), (100, vec![1, 2, 3]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checkpoint;
mod error;
mod lock;
mod manifest;
mod retention;
mod storage;
mod store;
mod writer;

pub use checkpoint::{Checkpoint, Rejected};
pub use error::{Cause, Error, Result};
pub use lock::RunLock;
pub use storage::{Entry, Output, RealFs, Storage};
pub use store::Store;
pub use writer::Writer;
