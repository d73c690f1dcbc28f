//! From samples to one packed micro-batch: token rows without padding, positions, attention segments, head rows and image rows.

mod pack;
#[cfg(test)]
mod tests;

use crate::qwen2_5_vl::geometry::VisionPlan;
use crate::qwen2_5_vl::rope::Position;
use coldstart_kernels::attention::Plan;
use coldstart_kernels::head::Rows;
use std::ops::Range;
use std::sync::Arc;

/// A preprocessed picture. Held in an `Arc`: one that several items share is encoded once.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// `[frames · rows · columns, patch length]`, row-major, in the processor's patch order.
    pub pixel_values: Vec<f32>,
    /// `[frames, rows, columns]` in patches.
    pub grid: [u32; 3],
}

/// One sample: a prompt or a whole conversation, and optionally several responses that share it.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Token ids with every image placeholder expanded to one id per merged patch.
    pub ids: Vec<u32>,
    /// The pictures, in order of appearance.
    pub images: Vec<Arc<Image>>,
    /// `targets[i]`: token `i` of `ids` is to be predicted. Empty for no targets, else one flag per id.
    pub targets: Vec<bool>,
    /// Responses to the prompt `ids`. Each sees the prompt and itself, and every token of it is a target.
    pub branches: Vec<Vec<u32>>,
}

/// Which token an entry of the head's rows predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index of the item.
    pub item: u32,
    /// Index of the branch, or `None` for a target of the item's own ids.
    pub branch: Option<u32>,
    /// Index of the predicted token in the branch, or in the item's ids.
    pub token: u32,
}

/// Where an item lies in the packed rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Rows of the item's own ids.
    pub prompt: Range<usize>,
    /// Rows of each branch.
    pub branches: Vec<Range<usize>>,
    /// Position of the first token after the prompt.
    pub next_position: u32,
    /// Entries of the head rows that belong to the item: its own targets, then branch by branch.
    pub entries: Range<usize>,
}

/// The pictures of a batch: each distinct one once, and where its tokens go.
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// Distinct pictures in order of first appearance.
    pub images: Vec<Arc<Image>>,
    /// Patch order and attention segments of the tower.
    pub plan: VisionPlan,
    /// Packed rows that hold image tokens, ascending.
    pub rows: Vec<u32>,
    /// For each of `rows` the merged patch, counted over `images`, whose feature it takes.
    pub features: Vec<u32>,
}

/// A micro-batch ready for [`Model::forward`](crate::Model::forward). Rows are laid out `[prompt | branch | … | branch]` item by item.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Token of each row.
    pub ids: Vec<u32>,
    /// M-RoPE position of each row.
    pub positions: Vec<Position>,
    /// Who attends to whom.
    pub plan: Plan,
    /// Rows whose hidden state predicts a target, one entry per target.
    pub head: Rows,
    /// What each entry of `head` predicts.
    pub entries: Vec<Entry>,
    /// Where each item lies.
    pub spans: Vec<Span>,
    /// The pictures, if any.
    pub images: Option<ImageBatch>,
    /// Rows of image tokens, which have no gradient in the embedding table.
    pub is_image: Vec<bool>,
}

impl Packed {
    /// Number of token rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}
