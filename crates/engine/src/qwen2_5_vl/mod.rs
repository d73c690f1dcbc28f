//! Qwen2.5-VL: vision tower, merger and language model, with explicit forward and backward functions and no tape.

pub mod block;
pub mod buffers;
pub mod geometry;
mod merger;
mod model;
pub mod rope;
mod stack;
mod tower_cache;
mod vision;
pub mod weights;

pub use model::{Activations, Model, Saved};
pub use weights::SaveDtype;

/// What a forward keeps for the backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// Nothing: there will be no backward.
    None,
    /// The input of each block. The backward repeats the block's forward and gives the same bits as [`Save::All`]. The merger is one
    /// layer and is kept whole.
    Inputs,
    /// Every intermediate.
    All,
}
