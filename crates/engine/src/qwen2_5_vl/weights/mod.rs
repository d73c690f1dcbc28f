//! Weights on disk: published safetensors folders, read with every disagreement reported by name, and written back under hub names.

mod checkpoint;
mod init;
mod save;
mod tensor_file;

pub(crate) use checkpoint::Checkpoint;
pub(crate) use init::RandomInit;
pub use save::{MAX_SHARD_BYTES, SaveDtype};
pub(crate) use save::{save, saved_bytes};
pub(crate) use tensor_file::TensorFile;
