// Models of the benchmarks: Qwen2.5-VL in small sizes, the same dictionary for both sides.

const ids = {
  image_token_id: 5,
  video_token_id: 7,
  vision_start_token_id: 3,
  vision_end_token_id: 4,
  bos_token_id: 0,
  eos_token_id: 2,
}

function model({ hidden, layers, heads, kvHeads, mlp, vocabulary, tower }) {
  const half = hidden / heads / 2
  const section = [half - 2 * Math.floor((half * 3) / 8), Math.floor((half * 3) / 8), Math.floor((half * 3) / 8)]
  return {
    architectures: ['Qwen2_5_VLForConditionalGeneration'],
    model_type: 'qwen2_5_vl',
    torch_dtype: 'float32',
    hidden_act: 'silu',
    hidden_size: hidden,
    intermediate_size: mlp,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    vocab_size: vocabulary,
    tie_word_embeddings: true,
    rope_theta: 1e6,
    rms_norm_eps: 1e-6,
    rope_scaling: { type: 'mrope', mrope_section: section },
    max_position_embeddings: 4096,
    initializer_range: 0.02,
    ...ids,
    vision_config: {
      depth: tower.depth,
      hidden_size: tower.hidden,
      intermediate_size: tower.mlp,
      num_heads: tower.heads,
      out_hidden_size: hidden,
      patch_size: 14,
      spatial_merge_size: 2,
      temporal_patch_size: 2,
      window_size: 112,
      fullatt_block_indexes: [Math.floor(tower.depth / 2) - 1, tower.depth - 1],
      hidden_act: 'silu',
      in_chans: 3,
      model_type: 'qwen2_5_vl',
    },
  }
}

/** S: 35 M parameters. M: 231 M. T: 28 M, for text. */
export const models = {
  S: model({
    hidden: 512,
    layers: 8,
    heads: 8,
    kvHeads: 2,
    mlp: 1536,
    vocabulary: 12_000,
    tower: { depth: 4, hidden: 256, heads: 4, mlp: 704 },
  }),
  M: model({
    hidden: 1024,
    layers: 12,
    heads: 16,
    kvHeads: 4,
    mlp: 4096,
    vocabulary: 16_000,
    tower: { depth: 8, hidden: 512, heads: 8, mlp: 1368 },
  }),
  T: model({
    hidden: 512,
    layers: 8,
    heads: 8,
    kvHeads: 2,
    mlp: 1408,
    vocabulary: 8_000,
    tower: { depth: 2, hidden: 128, heads: 2, mlp: 256 },
  }),
}

/** Deterministic numbers in [0, 1): both sides get the very same ids and pixels. */
export function numbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A picture of `grid` patches with values like normalised pixels. */
export function picture(grid, random) {
  const [, height, width] = grid
  return { gridThw: grid, pixelValues: Float32Array.from({ length: height * width * 1176 }, () => random() * 4 - 2) }
}

/** Ids of a text without special meaning. */
export function text(length, vocabulary, random) {
  return Array.from({ length }, () => 16 + Math.floor(random() * (vocabulary - 16)))
}

/** `text`, then an image between its markers, then text: `length` ids in all. */
export function withImage(length, grid, vocabulary, random) {
  const tokens = (grid[1] * grid[2]) / 4
  const before = text(8, vocabulary, random)
  const after = text(length - 8 - tokens - 2, vocabulary, random)
  return [
    ...before,
    ids.vision_start_token_id,
    ...Array.from({ length: tokens }, () => ids.image_token_id),
    ids.vision_end_token_id,
    ...after,
  ]
}
