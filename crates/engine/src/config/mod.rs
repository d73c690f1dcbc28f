//! The model's configuration as read from `config.json`: both published layouts, checked once, kept as written.

mod fields;
#[cfg(test)]
mod tests;

use crate::{Error, Result};
use fields::Fields;
use serde_json::Value;
use std::fmt::Debug;
use std::path::Path;

/// Epsilon of the vision tower's norms; the published architecture fixes it outside the configuration.
pub const VISION_NORM_EPS: f64 = 1e-6;
/// Base of the vision tower's rotary frequencies where the configuration states none, as those of the published models.
const VISION_ROPE_THETA: f64 = 10_000.0;

/// More layers than any member of this family; a larger number is a damaged file, not a model.
const MAX_LAYERS: usize = 4096;
/// Bound on any single dimension, so that products of two of them cannot overflow.
const MAX_DIM: usize = 1 << 27;

/// The language model's shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct TextConfig {
    /// Width `d` of the residual stream.
    pub hidden_size: usize,
    /// Width of the gated feed-forward layer.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; divides the query heads.
    pub num_key_value_heads: usize,
    /// `hidden_size / num_attention_heads`.
    pub head_dim: usize,
    /// Rows of the embedding table, more than the tokenizer has entries.
    pub vocab_size: usize,
    /// Whether the head shares the embedding table.
    pub tie_word_embeddings: bool,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Half-dimensions turned by time, height and width; they sum to `head_dim / 2`.
    pub mrope_section: [usize; 3],
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
    /// Longest sequence the checkpoint was made for.
    pub max_position_embeddings: usize,
}

/// The vision tower's shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    /// Number of blocks.
    pub depth: usize,
    /// Width of the tower's residual stream.
    pub hidden_size: usize,
    /// Width of the gated feed-forward layer.
    pub intermediate_size: usize,
    /// Attention heads.
    pub num_heads: usize,
    /// `hidden_size / num_heads`.
    pub head_dim: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Frames in a patch.
    pub temporal_patch_size: usize,
    /// Side of a merge group in patches.
    pub spatial_merge_size: usize,
    /// Side of an attention window in pixels, at least that of a merge group; what does not fill another group is not used.
    pub window_size: usize,
    /// Blocks that attend to the whole frame instead of windows. An index that no block has means nothing.
    pub fullatt_block_indexes: Vec<usize>,
    /// Width of the merged features: the language model's `hidden_size`.
    pub out_hidden_size: usize,
    /// Colour channels.
    pub in_channels: usize,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
}

impl VisionConfig {
    /// Values of one patch: channels × frames × side².
    pub fn patch_len(&self) -> usize {
        self.in_channels * self.temporal_patch_size * self.patch_size * self.patch_size
    }

    /// Patches of one merge group, which become one token.
    pub fn merge_unit(&self) -> usize {
        self.spatial_merge_size * self.spatial_merge_size
    }

    /// Side of an attention window in merge groups.
    pub fn window_cells(&self) -> usize {
        self.window_size / (self.patch_size * self.spatial_merge_size)
    }
}

/// Everything the engine takes from `config.json`.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// The language model.
    pub text: TextConfig,
    /// The vision tower.
    pub vision: VisionConfig,
    /// Placeholder of one merged patch in a prompt.
    pub image_token_id: u32,
    /// Placeholder of video, which the engine refuses.
    pub video_token_id: Option<u32>,
    /// Token before an image.
    pub vision_start_token_id: Option<u32>,
    /// Token after an image.
    pub vision_end_token_id: Option<u32>,
    /// End-of-sequence ids named by this file; `generation_config.json` may name more.
    pub eos_token_ids: Vec<u32>,
    /// Standard deviation of freshly drawn matrices.
    pub initializer_range: f64,
    raw: Value,
}

impl ModelConfig {
    /// Reads `config.json` of a model folder.
    ///
    /// # Errors
    /// `E_MODEL` when the file is missing or not JSON; otherwise as [`ModelConfig::from_json`].
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
        let raw: Value = serde_json::from_str(&text).map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
        Self::from_json(&raw)
    }

    /// Reads a parsed `config.json`, with the language model's fields at the root or in `text_config`.
    ///
    /// # Errors
    /// `E_CONFIG` naming the field, what was expected and what came; `E_MODEL_UNSAFE` for a file that asks to run code.
    pub fn from_json(raw: &Value) -> Result<Self> {
        let root = Fields::root(raw)?;
        refuse_foreign(&root)?;
        let text_fields = root.child_or_self("text_config")?;
        let vision_fields = root.child("vision_config")?;
        let tied = root.flag("tie_word_embeddings")? || text_fields.flag("tie_word_embeddings")?;
        let text = read_text(&text_fields, tied)?;
        let vision = read_vision(&vision_fields)?;
        if vision.out_hidden_size != text.hidden_size {
            return Err(vision_fields.wrong(
                "out_hidden_size",
                &format!("the language model's hidden_size {}", text.hidden_size),
                vision.out_hidden_size,
            ));
        }
        let image_token_id = root.token("image_token_id")?.ok_or_else(|| root.missing("image_token_id"))?;
        if image_token_id as usize >= text.vocab_size {
            let limit = format!("an id below vocab_size {}", text.vocab_size);
            return Err(root.wrong("image_token_id", &limit, image_token_id));
        }
        Ok(Self {
            image_token_id,
            video_token_id: root.token("video_token_id")?,
            vision_start_token_id: root.token("vision_start_token_id")?,
            vision_end_token_id: root.token("vision_end_token_id")?,
            eos_token_ids: root.tokens("eos_token_id")?,
            initializer_range: text_fields.positive_or("initializer_range", 0.02)?,
            text,
            vision,
            raw: raw.clone(),
        })
    }

    /// The JSON this configuration was read from, unknown keys included.
    pub fn to_json(&self) -> Value {
        self.raw.clone()
    }
}

/// Turns away other architectures and features that would change the arithmetic silently.
fn refuse_foreign(root: &Fields) -> Result<()> {
    root.one_of("model_type", &["qwen2_5_vl"])?;
    if root.has("auto_map") {
        return Err(Error::ModelUnsafe(
            "config.json: auto_map names Python code to run; coldstart never runs code of a model folder".into(),
        ));
    }
    root.absent("quantization_config")
}

fn read_text(f: &Fields, tie_word_embeddings: bool) -> Result<TextConfig> {
    f.one_of_or_absent("model_type", &["qwen2_5_vl", "qwen2_5_vl_text"])?;
    f.one_of_or_absent("hidden_act", &["silu"])?;
    f.must_be_false("use_sliding_window")?;
    f.must_be_zero("attention_dropout")?;
    let num_hidden_layers = f.dim("num_hidden_layers", MAX_LAYERS)?;
    f.all_or_absent("layer_types", "full_attention", num_hidden_layers)?;
    let hidden_size = f.dim("hidden_size", MAX_DIM)?;
    let num_attention_heads = f.dim("num_attention_heads", MAX_DIM)?;
    // Null says "as many as query heads"; a file without the field says nothing, and programs differ in what they assume.
    let num_key_value_heads =
        if f.is_null("num_key_value_heads") { num_attention_heads } else { f.dim("num_key_value_heads", MAX_DIM)? };
    f.divides("num_attention_heads", num_attention_heads, "hidden_size", hidden_size)?;
    f.divides("num_key_value_heads", num_key_value_heads, "num_attention_heads", num_attention_heads)?;
    let head_dim = hidden_size / num_attention_heads;
    f.equal_or_absent("head_dim", "hidden_size / num_attention_heads", head_dim)?;
    let (rope_theta, mrope_section) = read_rope(f, head_dim)?;
    Ok(TextConfig {
        hidden_size,
        intermediate_size: f.dim("intermediate_size", MAX_DIM)?,
        num_hidden_layers,
        num_attention_heads,
        num_key_value_heads,
        head_dim,
        vocab_size: f.dim("vocab_size", MAX_DIM)?,
        tie_word_embeddings,
        rope_theta,
        mrope_section,
        rms_norm_eps: f.positive("rms_norm_eps")?,
        max_position_embeddings: f.dim("max_position_embeddings", usize::MAX)?,
    })
}

/// Rotary base and sections of the language model.
fn read_rope(f: &Fields, head_dim: usize) -> Result<(f64, [usize; 3])> {
    let (tables, theta) = read_rope_tables(f, &["mrope", "default"])?;
    let mut section = None;
    for rope in &tables {
        rope.must_be_false("mrope_interleaved")?;
        agree(rope, "mrope_section", &mut section, read_section(rope, head_dim)?)?;
    }
    let section = section.ok_or_else(|| f.missing("rope_scaling"))?;
    Ok((theta.ok_or_else(|| f.missing("rope_theta"))?, section))
}

fn read_section(rope: &Fields, head_dim: usize) -> Result<[usize; 3]> {
    let section = rope.indexes("mrope_section")?;
    match <[usize; 3]>::try_from(section.as_slice()) {
        Ok(three) if head_dim.is_multiple_of(2) && section.iter().sum::<usize>() == head_dim / 2 => Ok(three),
        _ => {
            let expected = format!("three numbers with the sum {} (half the head dimension)", head_dim / 2);
            Err(rope.wrong("mrope_section", &expected, format!("{section:?}")))
        }
    }
}

/// The objects that describe rotary positions, `rope_parameters` and its older form `rope_scaling`, and the base stated in them or
/// beside them.
fn read_rope_tables<'a>(f: &Fields<'a>, types: &[&str]) -> Result<(Vec<Fields<'a>>, Option<f64>)> {
    let mut theta = if f.has("rope_theta") { Some(f.positive("rope_theta")?) } else { None };
    let mut tables = Vec::new();
    for name in ["rope_parameters", "rope_scaling"] {
        let Some(rope) = f.optional_child(name)? else { continue };
        for key in ["type", "rope_type"] {
            rope.one_of_or_absent(key, types)?;
        }
        if rope.has("rope_theta") {
            agree(&rope, "rope_theta", &mut theta, rope.positive("rope_theta")?)?;
        }
        tables.push(rope);
    }
    Ok((tables, theta))
}

/// Takes note of a value that a file may state more than once. Programs differ in which statement they follow, so all must be equal.
fn agree<T: PartialEq + Debug>(f: &Fields, key: &str, known: &mut Option<T>, value: T) -> Result<()> {
    match known {
        Some(before) if *before != value => {
            Err(f.wrong(key, &format!("{before:?}, which the same file states elsewhere"), format!("{value:?}")))
        }
        _ => {
            *known = Some(value);
            Ok(())
        }
    }
}

fn read_vision(f: &Fields) -> Result<VisionConfig> {
    f.one_of_or_absent("model_type", &["qwen2_5_vl", "qwen2_5_vl_vision"])?;
    f.one_of_or_absent("hidden_act", &["silu"])?;
    let depth = f.dim("depth", MAX_LAYERS)?;
    let hidden_size = f.dim("hidden_size", MAX_DIM)?;
    let num_heads = f.dim("num_heads", MAX_DIM)?;
    f.divides("num_heads", num_heads, "hidden_size", hidden_size)?;
    let head_dim = hidden_size / num_heads;
    if !head_dim.is_multiple_of(4) {
        // A quarter of the head's dimensions holds the row's frequencies, a quarter the column's, each in a pair.
        return Err(f.wrong(
            "num_heads",
            "a head dimension that is a multiple of 4",
            format!("{num_heads} (head dimension {head_dim})"),
        ));
    }
    f.equal_or_absent("head_dim", "hidden_size / num_heads", head_dim)?;
    let (_, rope_theta) = read_rope_tables(f, &["axial", "default"])?;
    let patch_size = f.dim("patch_size", 1 << 12)?;
    let spatial_merge_size = f.dim("spatial_merge_size", 1 << 6)?;
    let window_size = f.dim("window_size", 1 << 20)?;
    let group = patch_size * spatial_merge_size;
    if window_size < group {
        return Err(f.wrong("window_size", &format!("at least patch_size × spatial_merge_size {group}"), window_size));
    }
    let channels = if f.has("in_channels") { "in_channels" } else { "in_chans" };
    Ok(VisionConfig {
        depth,
        hidden_size,
        intermediate_size: f.dim("intermediate_size", MAX_DIM)?,
        num_heads,
        head_dim,
        patch_size,
        temporal_patch_size: f.dim("temporal_patch_size", 1 << 6)?,
        spatial_merge_size,
        window_size,
        fullatt_block_indexes: f.indexes("fullatt_block_indexes")?,
        out_hidden_size: f.dim("out_hidden_size", MAX_DIM)?,
        in_channels: f.dim(channels, 1 << 6)?,
        rope_theta: rope_theta.unwrap_or(VISION_ROPE_THETA),
    })
}
