//! The whole model: from a packed batch to hidden states, and back from their gradient to every parameter's.

use super::Save;
use super::block::{self, Attend, Saved as BlockSaved, Stream};
use super::buffers::Buffers;
use super::merger::{Merger, MergerSaved};
use super::rope::{Position, text_angles};
use super::stack::{PackedAttention, Stack};
use super::tower_cache::TowerCache;
use super::vision::{Vision, VisionSaved};
use super::weights::{self, Checkpoint, MAX_SHARD_BYTES, RandomInit, SaveDtype};
use crate::batch::{ImageBatch, Packed};
use crate::config::ModelConfig;
use crate::params::{Group, Layout, Params, Source};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use coldstart_gemm::Precision;
use coldstart_kernels::attention::{Heads, Plan};
use coldstart_kernels::rope::Angles;
use coldstart_kernels::{Acc, Weight, embedding, head, rms_norm};
use std::path::Path;

/// A Qwen2.5-VL model and its parameters.
pub struct Model {
    config: ModelConfig,
    layout: Layout,
    params: Params,
    vision: Vision,
    merger: Merger,
    text: Stack,
    tower_cache: TowerCache,
}

/// What a forward returns.
pub struct Activations {
    /// `[rows, hidden]` after the final norm.
    pub hidden: Tensor,
    /// Features of the batch's distinct images, `[merged patches, hidden]` in reading order.
    pub image_features: Option<Tensor>,
    /// What [`Model::backward`] needs, unless the forward was told to keep nothing.
    pub saved: Option<Saved>,
}

/// Intermediates of one forward, consumed by its backward.
pub struct Saved {
    blocks: Vec<BlockSaved>,
    angles: Angles,
    h: Tensor,
    inv: Tensor,
    images: Option<ImageSaved>,
}

/// The tower is missing when it is frozen.
struct ImageSaved {
    tower: Option<VisionSaved>,
    merger: MergerSaved,
}

impl Saved {
    /// Inputs of the language model's blocks, `[rows, hidden]` each, first to last.
    pub fn block_inputs(&self) -> Vec<&Tensor> {
        self.blocks.iter().map(BlockSaved::input).collect()
    }
}

impl Model {
    /// Reads a model folder: `config.json` and safetensors weights in bf16, f16, f32 or f64.
    ///
    /// # Errors
    /// `E_CONFIG`, `E_MODEL`, `E_MODEL_UNSAFE` or `E_WEIGHTS`, naming field, file and tensor. Shapes are compared with the
    /// configuration before memory is allocated.
    pub fn load(folder: &Path, precision: Precision) -> Result<Self> {
        let config = ModelConfig::from_folder(folder)?;
        let mut checkpoint = Checkpoint::open(folder)?;
        let (layout, specs) = Layout::new(&config);
        checkpoint.check(&specs)?;
        Self::build(config, layout, Params::build(specs, precision, &mut checkpoint)?)
    }

    /// A model with freshly drawn weights: matrices normal with standard deviation `initializer_range`, biases 0, norms 1.
    ///
    /// Each tensor's bits depend on `seed` and its name alone.
    pub fn init(config: &ModelConfig, seed: u64, precision: Precision) -> Result<Self> {
        let (layout, specs) = Layout::new(config);
        let mut source = RandomInit { seed, std: config.initializer_range };
        Self::build(config.clone(), layout, Params::build(specs, precision, &mut source as &mut dyn Source)?)
    }

    /// A copy of the model as it is now, with gradients of its own: a reference policy.
    pub fn copy(&self) -> Result<Self> {
        Self::build(self.config.clone(), self.layout.clone(), self.params.copy()?)
    }

    fn build(config: ModelConfig, layout: Layout, params: Params) -> Result<Self> {
        let t = &config.text;
        let text = Stack {
            blocks: layout.layers.clone(),
            heads: Heads { q: t.num_attention_heads, kv: t.num_key_value_heads, dim: t.head_dim },
            eps: t.rms_norm_eps,
        };
        let vision = Vision::new(&config.vision, &layout);
        let merger = Merger::new(&config.vision, &layout);
        Ok(Self { config, layout, params, vision, merger, text, tower_cache: TowerCache::default() })
    }

    /// Writes weights under hub names, in shards of at most 5 GB, and `config.json`, in place of the weights the folder had.
    ///
    /// # Errors
    /// `E_CKPT_SAVE` naming the file. Every file is complete or unchanged. `E_WEIGHTS` naming a tensor with a value that `dtype` has no
    /// finite number for; nothing is written then.
    pub fn save(&self, folder: &Path, dtype: SaveDtype) -> Result<()> {
        self.save_sharded(folder, dtype, MAX_SHARD_BYTES)
    }

    /// As [`Model::save`], with shards of at most `max_shard_bytes` of data.
    pub fn save_sharded(&self, folder: &Path, dtype: SaveDtype, max_shard_bytes: u64) -> Result<()> {
        weights::save(&self.params, &self.config, folder, dtype, max_shard_bytes)
    }

    /// Bytes of the weights that [`Model::save`] writes.
    pub fn saved_bytes(&self, dtype: SaveDtype) -> u64 {
        weights::saved_bytes(&self.params, dtype)
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Values, gradients, and what is trained.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// As [`Model::params`], to freeze and to start a new sum of gradients.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// How products are computed.
    pub fn precision(&self) -> Precision {
        self.params.precision()
    }

    /// Heads of the language model's attention.
    pub fn heads(&self) -> &Heads {
        &self.text.heads
    }

    /// The head's matrix `[vocab, hidden]`: the embedding table when tied.
    pub fn head(&self) -> &Weight {
        self.params.weight(self.layout.head)
    }

    /// Where the head's backward adds its gradient; `None` when frozen. Taking it obliges to write it.
    pub fn head_acc(&self) -> Option<Acc<'_>> {
        self.params.acc(self.layout.head)
    }

    /// Images whose way through the tower is remembered: those seen in forwards that needed no backward through it, as long as their
    /// `Arc` lives and the tower's weights do not change.
    pub fn cached_images(&self) -> usize {
        self.tower_cache.len()
    }

    /// Hidden states of a packed batch.
    pub fn forward(&self, packed: &Packed, save: Save) -> Result<Activations> {
        let (x, image_features, images) = self.embed_packed(packed, save)?;
        let angles = self.angles(&packed.positions, None)?;
        let mut attend = PackedAttention { plan: |_| &packed.plan, precision: self.precision() };
        let mut fresh = Buffers::default();
        let (stream, blocks) = self.text.forward(&self.params, x, &angles, &mut attend, save, &mut fresh)?;
        let (h, hidden, inv) = block::norm(&self.params, &stream, self.layout.norm, self.text.eps, &mut fresh)?;
        let saved = (save != Save::None).then_some(Saved { blocks, angles, h, inv, images });
        Ok(Activations { hidden, image_features, saved })
    }

    /// Adds the gradients of all trained parameters but the head's, which its own kernel adds.
    ///
    /// `dh`: gradient of [`Activations::hidden`]. Stops at the lowest part that is trained.
    pub fn backward(&self, packed: &Packed, dh: &Tensor, saved: Saved) -> Result<()> {
        let p = &self.params;
        let norm = self.layout.norm;
        let dx = rms_norm::backward(dh, &saved.h, &saved.inv, p.value(norm), None, p.acc(norm))?;
        drop((saved.h, saved.inv));
        let images = packed.images.as_ref().filter(|_| self.trains_images());
        let need_dx = images.is_some() || p.is_trainable(self.layout.embed);
        let plan = |_| -> &Plan { &packed.plan };
        let Some(dx) = self.text.backward(p, dx, saved.blocks, &saved.angles, plan, need_dx)? else {
            return Ok(());
        };
        if let Some(acc) = p.acc(self.layout.embed) {
            embedding::backward(&dx, &packed.ids, &packed.is_image, acc)?;
        }
        match (images, saved.images) {
            (Some(batch), Some(images)) => self.backward_images(batch, &dx, images),
            (Some(_), None) => {
                Err(Error::Usage("backward: the images were frozen in the forward and are trained now".into()))
            }
            (None, _) => Ok(()),
        }
    }

    /// Embeddings of text tokens `[ids, hidden]`. For generation; `ids` lie below the vocabulary's size.
    pub fn embed_ids(&self, ids: &[u32], buffers: &mut Buffers) -> Result<Tensor> {
        let old = buffers.take(&[ids.len(), self.config.text.hidden_size]);
        Ok(embedding::gather_into(self.params.value(self.layout.embed), ids, old)?)
    }

    /// Embeddings of a packed batch with image features in place, `[rows, hidden]`. For generation's prefill.
    pub fn embed(&self, packed: &Packed) -> Result<Tensor> {
        Ok(self.embed_packed(packed, Save::None)?.0)
    }

    /// Rotary angles of the language model at `positions`; `old` ones are written over if as many.
    pub fn angles(&self, positions: &[Position], old: Option<Angles>) -> Result<Angles> {
        text_angles(positions, &self.config.text, self.precision(), old)
    }

    /// The language model over embeddings `x` `[rows, hidden]` with an attention of the caller's: hidden states after the final norm.
    ///
    /// With the attention of a packed batch this is [`Model::forward`] bit for bit. Every tensor on the way comes from and goes to
    /// `buffers`; `x` must be the only handle to its own.
    pub fn run(&self, x: Tensor, angles: &Angles, attend: &mut dyn Attend, buffers: &mut Buffers) -> Result<Tensor> {
        let (stream, _) = self.text.forward(&self.params, x, angles, attend, Save::None, buffers)?;
        let (h, hidden, inv) = block::norm(&self.params, &stream, self.layout.norm, self.text.eps, buffers)?;
        stream.give_to(buffers);
        buffers.give([h, inv]);
        Ok(hidden)
    }

    /// Logits `[rows, vocabulary]` of hidden states, whose tensor goes to `buffers`.
    pub fn logits(&self, hidden: Tensor, buffers: &mut Buffers) -> Result<Tensor> {
        let old = buffers.take(&[hidden.dims()[0], self.config.text.vocab_size]);
        let logits = head::logits_into(&hidden, self.head(), old)?;
        buffers.give([hidden]);
        Ok(logits)
    }

    fn trains(&self, group: Group) -> bool {
        self.params.parts().any(|part| part.group == group && part.trainable)
    }

    fn trains_images(&self) -> bool {
        self.trains(Group::Vision) || self.trains(Group::Merger)
    }

    fn embed_packed(&self, packed: &Packed, save: Save) -> Result<(Tensor, Option<Tensor>, Option<ImageSaved>)> {
        let x = self.embed_ids(&packed.ids, &mut Buffers::default())?;
        let Some(batch) = &packed.images else {
            return Ok((x, None, None));
        };
        let (features, saved) = self.encode(batch, save)?;
        let rows = embedding::gather_rows(&features, &batch.features)?;
        embedding::replace_rows(&x, &batch.rows, &rows)?;
        Ok((x, Some(features), saved))
    }

    /// Features of the images of a batch, `[merged patches, hidden]` in reading order. Keeps only what the trained parts need, and
    /// leaves the tower out for images it has seen since its weights last changed.
    fn encode(&self, batch: &ImageBatch, save: Save) -> Result<(Tensor, Option<ImageSaved>)> {
        let p = &self.params;
        let (stream, tower) = if save != Save::None && self.trains(Group::Vision) {
            self.vision.forward(p, &batch.images, &batch.plan, save)?
        } else {
            let version = p.version(Group::Vision);
            let x = self.tower_cache.rows(version, &batch.images, |images| self.vision.encode(p, images))?;
            (Stream { x, delta: None }, None)
        };
        let merger_save = if self.trains_images() { save } else { Save::None };
        let (features, merger) = self.merger.forward(p, stream, &batch.plan, merger_save)?;
        Ok((features, merger.map(|merger| ImageSaved { tower, merger })))
    }

    /// `dx`: gradient of the packed embeddings. A feature used in several places collects their gradients in the order of the rows.
    fn backward_images(&self, batch: &ImageBatch, dx: &Tensor, saved: ImageSaved) -> Result<()> {
        let rows = embedding::gather_rows(dx, &batch.rows)?;
        let shape = (batch.plan.num_cells(), self.config.text.hidden_size);
        let dfeatures = Tensor::zeros(shape, self.params.dtype(), &Device::Cpu)?;
        embedding::scatter_add_rows(&dfeatures, &batch.features, &rows)?;
        let need_dx = self.trains(Group::Vision);
        let dy = self.merger.backward(&self.params, &dfeatures, saved.merger, &batch.plan, need_dx)?;
        match (dy, saved.tower) {
            (Some(dy), Some(tower)) => self.vision.backward(&self.params, &batch.plan, dy, tower),
            (Some(_), None) => {
                Err(Error::Usage("backward: the tower was frozen in the forward and is trained now".into()))
            }
            (None, _) => Ok(()),
        }
    }
}
