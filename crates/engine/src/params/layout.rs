//! Which parameters a configuration has: the fused storages the engine computes with, and the published tensors they are made of.

use super::{Group, ParamId};
use crate::config::ModelConfig;

/// A published tensor and the leading rows of its storage that hold it.
#[derive(Clone, Debug)]
pub struct PartSpec {
    /// Name on the hub.
    pub name: String,
    /// Shape on the hub.
    pub shape: Vec<usize>,
    /// Rows of the storage it occupies.
    pub rows: std::ops::Range<usize>,
}

/// One storage: a matrix `[rows, cols]` or a vector `[rows]`.
#[derive(Clone, Debug)]
pub struct StorageSpec {
    /// Tower, merger or language model.
    pub group: Group,
    /// `None` for a vector.
    pub cols: Option<usize>,
    /// Published tensors from first row to last.
    pub parts: Vec<PartSpec>,
}

impl StorageSpec {
    /// Leading dimension.
    pub fn rows(&self) -> usize {
        self.parts.last().map_or(0, |p| p.rows.end)
    }

    /// Number of elements.
    pub fn num_elements(&self) -> usize {
        self.rows() * self.cols.unwrap_or(1)
    }

    /// Shape of the storage.
    pub fn shape(&self) -> Vec<usize> {
        std::iter::once(self.rows()).chain(self.cols).collect()
    }
}

/// A linear layer: matrix and optional bias.
#[derive(Clone, Copy, Debug)]
pub struct LinearIds {
    /// `[out, in]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
}

/// The parameters of one transformer block of either tower.
#[derive(Clone, Copy, Debug)]
pub struct BlockIds {
    /// Norm before attention.
    pub norm1: ParamId,
    /// Rows: q, k, v, each head-major.
    pub qkv: LinearIds,
    /// Output projection of attention.
    pub out: LinearIds,
    /// Norm before the feed-forward layer.
    pub norm2: ParamId,
    /// Rows: gate, then up.
    pub gate_up: LinearIds,
    /// Second feed-forward matrix.
    pub down: LinearIds,
}

/// The parameters of the merger between the towers.
#[derive(Clone, Copy, Debug)]
pub struct MergerIds {
    /// Norm over single patches.
    pub norm: ParamId,
    /// First layer, on the joined patches of a merge group.
    pub first: LinearIds,
    /// Second layer, to the language model's width.
    pub second: LinearIds,
}

/// Where each parameter of the model is found in the store.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Patch embedding as a matrix `[vision hidden, patch length]`.
    pub patch_embed: ParamId,
    /// Blocks of the vision tower.
    pub vision: Vec<BlockIds>,
    /// The merger.
    pub merger: MergerIds,
    /// Embedding table `[vocab, hidden]`.
    pub embed: ParamId,
    /// Blocks of the language model.
    pub layers: Vec<BlockIds>,
    /// Final norm.
    pub norm: ParamId,
    /// Head `[vocab, hidden]`; the embedding table when tied.
    pub head: ParamId,
}

impl Layout {
    /// The storages of `config` in forward order, and where the blocks find theirs.
    pub fn new(config: &ModelConfig) -> (Layout, Vec<StorageSpec>) {
        let mut b = Builder { storages: Vec::new(), group: Group::Vision };
        let (v, t) = (&config.vision, &config.text);
        let patch_shape = [v.hidden_size, v.in_channels, v.temporal_patch_size, v.patch_size, v.patch_size];
        let patch_embed = b.storage(&[("visual.patch_embed.proj.weight".into(), patch_shape.to_vec())]);
        let vision = (0..v.depth).map(|l| b.vision_block(l, v.hidden_size, v.intermediate_size)).collect();
        b.group = Group::Merger;
        let joined = v.hidden_size * v.merge_unit();
        let merger = MergerIds {
            norm: b.vector("visual.merger.ln_q.weight", v.hidden_size),
            first: b.linear(&["visual.merger.mlp.0"], &[joined], joined, true),
            second: b.linear(&["visual.merger.mlp.2"], &[v.out_hidden_size], joined, true),
        };
        b.group = Group::Language;
        let table = |name: &str| [(name.to_string(), vec![t.vocab_size, t.hidden_size])];
        let embed = b.storage(&table("model.embed_tokens.weight"));
        let kv = t.num_key_value_heads * t.head_dim;
        let layers =
            (0..t.num_hidden_layers).map(|l| b.text_block(l, t.hidden_size, kv, t.intermediate_size)).collect();
        let norm = b.vector("model.norm.weight", t.hidden_size);
        let head = if t.tie_word_embeddings { embed } else { b.storage(&table("lm_head.weight")) };
        (Layout { patch_embed, vision, merger, embed, layers, norm, head }, b.storages)
    }
}

struct Builder {
    storages: Vec<StorageSpec>,
    group: Group,
}

impl Builder {
    /// Stacks published tensors along their first dimension; further dimensions are flattened to columns.
    fn storage(&mut self, parts: &[(String, Vec<usize>)]) -> ParamId {
        let mut row = 0;
        let cols = (parts[0].1.len() > 1).then(|| parts[0].1[1..].iter().product());
        let parts = parts.iter().map(|(name, shape)| {
            let rows = row..row + shape[0];
            row = rows.end;
            PartSpec { name: name.clone(), shape: shape.clone(), rows }
        });
        self.storages.push(StorageSpec { group: self.group, cols, parts: parts.collect() });
        ParamId(self.storages.len() - 1)
    }

    fn vector(&mut self, name: &str, len: usize) -> ParamId {
        self.storage(&[(name.into(), vec![len])])
    }

    /// One fused layer of the published layers `names` with `outs` outputs each.
    fn linear(&mut self, names: &[&str], outs: &[usize], input: usize, bias: bool) -> LinearIds {
        let both = || names.iter().zip(outs);
        let weights: Vec<_> = both().map(|(n, &out)| (format!("{n}.weight"), vec![out, input])).collect();
        let weight = self.storage(&weights);
        let biases: Vec<_> = both().map(|(n, &out)| (format!("{n}.bias"), vec![out])).collect();
        LinearIds { weight, bias: bias.then(|| self.storage(&biases)) }
    }

    fn vision_block(&mut self, layer: usize, d: usize, inner: usize) -> BlockIds {
        let at = |rest: &str| format!("visual.blocks.{layer}.{rest}");
        BlockIds {
            norm1: self.vector(&at("norm1.weight"), d),
            qkv: self.linear(&[&at("attn.qkv")], &[3 * d], d, true),
            out: self.linear(&[&at("attn.proj")], &[d], d, true),
            norm2: self.vector(&at("norm2.weight"), d),
            gate_up: self.linear(&[&at("mlp.gate_proj"), &at("mlp.up_proj")], &[inner, inner], d, true),
            down: self.linear(&[&at("mlp.down_proj")], &[d], inner, true),
        }
    }

    fn text_block(&mut self, layer: usize, d: usize, kv: usize, inner: usize) -> BlockIds {
        let at = |rest: &str| format!("model.layers.{layer}.{rest}");
        let qkv = [&at("self_attn.q_proj")[..], &at("self_attn.k_proj"), &at("self_attn.v_proj")];
        BlockIds {
            norm1: self.vector(&at("input_layernorm.weight"), d),
            qkv: self.linear(&qkv, &[d, kv, kv], d, true),
            out: self.linear(&[&at("self_attn.o_proj")], &[d], d, false),
            norm2: self.vector(&at("post_attention_layernorm.weight"), d),
            gate_up: self.linear(&[&at("mlp.gate_proj"), &at("mlp.up_proj")], &[inner, inner], d, false),
            down: self.linear(&[&at("mlp.down_proj")], &[d], inner, false),
        }
    }
}
