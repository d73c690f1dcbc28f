//! The blocks of one tower in a row, with a choice of what to keep for the backward.

use super::Save;
use super::block::{self, Attend, Attended, Context, Saved, Stream, attention_scale};
use super::buffers::Buffers;
use crate::Result;
use crate::params::{BlockIds, Params};
use candle_core::Tensor;
use coldstart_gemm::Precision;
use coldstart_kernels::attention::{self, Heads, Plan};
use coldstart_kernels::rope::Angles;

/// Attention over a packed batch, with what its backward needs.
pub(crate) struct PackedAttention<'a, F: Fn(usize) -> &'a Plan> {
    /// The plan of each block.
    pub plan: F,
    pub precision: Precision,
}

impl<'a, F: Fn(usize) -> &'a Plan> Attend for PackedAttention<'a, F> {
    fn attend(&mut self, layer: usize, qkv: &Tensor, heads: &Heads, _: &mut Buffers) -> Result<Attended> {
        let plan = (self.plan)(layer);
        let (o, lse) = attention::forward(qkv, heads, plan, attention_scale(heads), self.precision)?;
        Ok(Attended { o, lse: Some(lse) })
    }
}

/// A tower's blocks and what they have in common.
pub(crate) struct Stack {
    pub blocks: Vec<BlockIds>,
    pub heads: Heads,
    pub eps: f64,
}

impl Stack {
    fn context<'a>(&'a self, params: &'a Params, angles: &'a Angles) -> Context<'a> {
        Context { params, angles, heads: &self.heads, eps: self.eps }
    }

    /// Runs all blocks over `x` `[rows, width]`; `saved` gets one entry per block unless `save` is [`Save::None`]. With an attention that
    /// keeps nothing, `x` must be the only handle to its tensor, which ends up in `buffers` like all others.
    pub fn forward(
        &self,
        params: &Params,
        x: Tensor,
        angles: &Angles,
        attend: &mut dyn Attend,
        save: Save,
        buffers: &mut Buffers,
    ) -> Result<(Stream, Vec<Saved>)> {
        let cx = self.context(params, angles);
        let mut stream = Stream { x, delta: None };
        let mut saved = Vec::new();
        for (layer, ids) in self.blocks.iter().enumerate() {
            let (out, kept) = block::forward(&cx, ids, layer, stream, attend, buffers)?;
            stream = out;
            match (save, kept) {
                (Save::All, Some(kept)) => saved.push(Saved::All(kept)),
                (Save::Inputs, Some(kept)) => saved.push(Saved::Input(kept.into_input())),
                _ => {}
            }
        }
        Ok((stream, saved))
    }

    /// Backward through the blocks from the last to the lowest that still matters.
    ///
    /// `dy`: gradient of the residual stream after the last block. Returns that of the stack's input if `need_dx`.
    pub fn backward<'a>(
        &self,
        params: &Params,
        dy: Tensor,
        mut saved: Vec<Saved>,
        angles: &Angles,
        plan: impl Fn(usize) -> &'a Plan,
        need_dx: bool,
    ) -> Result<Option<Tensor>> {
        let cx = self.context(params, angles);
        let lowest = self.blocks.iter().position(|ids| block::block_trains(params, ids));
        let stop = if need_dx { 0 } else { lowest.unwrap_or(self.blocks.len()) };
        let mut dy = dy;
        for layer in (stop..self.blocks.len()).rev() {
            let ids = &self.blocks[layer];
            // Popping frees each block's activations as soon as they are used.
            let kept = match saved.pop() {
                Some(Saved::All(kept)) => kept,
                Some(Saved::Input(x)) => self.recompute(&cx, layer, x, &plan)?,
                None => return Err(crate::Error::Usage(format!("backward: nothing was saved for block {layer}"))),
            };
            match block::backward(&cx, ids, &dy, &kept, plan(layer), need_dx || layer > stop)? {
                Some(dx) => dy = dx,
                None => return Ok(None),
            }
        }
        Ok(need_dx.then_some(dy))
    }

    fn recompute<'a>(
        &self,
        cx: &Context,
        layer: usize,
        x: Tensor,
        plan: &impl Fn(usize) -> &'a Plan,
    ) -> Result<Box<block::Intermediates>> {
        let mut attend = PackedAttention { plan, precision: cx.params.precision() };
        let stream = Stream { x, delta: None };
        let (_, kept) = block::forward(cx, &self.blocks[layer], layer, stream, &mut attend, &mut Buffers::default())?;
        kept.ok_or_else(|| crate::Error::Usage(format!("backward: block {layer} kept no log-sum-exp")))
    }
}
