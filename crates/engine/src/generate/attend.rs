//! The two attentions of generation: of whole prompts, whose keys and values go to the cache, and of one token per sequence.

use crate::qwen2_5_vl::block::{Attend, Attended, attention_scale};
use crate::qwen2_5_vl::buffers::Buffers;
use crate::{Precision, Result};
use candle_core::Tensor;
use coldstart_kernels::attention::{self, Heads, Plan};
use coldstart_kernels::kv_cache::{KvCache, PromptId, SequenceId};

/// Attention of a packed batch of prompts, the same as in training.
pub(super) struct Prefill<'a> {
    pub cache: &'a mut KvCache,
    pub plan: &'a Plan,
    pub precision: Precision,
    /// Each prompt with its first row.
    pub prompts: &'a [(PromptId, usize)],
}

impl Attend for Prefill<'_> {
    fn attend(&mut self, layer: usize, qkv: &Tensor, heads: &Heads, _: &mut Buffers) -> Result<Attended> {
        for &(prompt, row0) in self.prompts {
            self.cache.write_prompt(prompt, layer, qkv, row0)?;
        }
        let (o, _) = attention::forward(qkv, heads, self.plan, attention_scale(heads), self.precision)?;
        Ok(Attended { o, lse: None })
    }
}

/// Attention of the newest token of each sequence.
pub(super) struct Decode<'a> {
    pub cache: &'a mut KvCache,
    pub sequences: &'a [SequenceId],
}

impl Attend for Decode<'_> {
    fn attend(&mut self, layer: usize, qkv: &Tensor, heads: &Heads, buffers: &mut Buffers) -> Result<Attended> {
        let old = buffers.take(&[self.sequences.len(), heads.q * heads.dim]);
        let o = self.cache.decode(layer, qkv, self.sequences, attention_scale(heads), old)?;
        Ok(Attended { o, lse: None })
    }
}
