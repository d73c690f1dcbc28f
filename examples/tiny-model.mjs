// What the examples share: a model of a hundred thousand parameters, made from nothing, and pictures for it to count squares in.
// With a real checkpoint all of this is one line: VisionLanguageModel.fromPretrained('./Qwen2.5-VL-3B-Instruct').
import { VisionLanguageModel } from 'coldstart'
import sharp from 'sharp'

const special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|vision_start|>', '<|vision_end|>', '<|image_pad|>']
const words = [...special, ...'<unk> user assistant how many squares ? row . \\boxed{ } 0 1 2 3 4'.split(' ')]
const id = (word) => words.indexOf(word)

const tokenizer = {
  version: '1.0',
  added_tokens: special.map((content, index) => ({
    id: index,
    content,
    special: true,
    normalized: false,
    single_word: false,
    lstrip: false,
    rstrip: false,
  })),
  pre_tokenizer: { type: 'WhitespaceSplit' },
  model: {
    type: 'WordLevel',
    vocab: Object.fromEntries(words.map((word, index) => [word, index])),
    unk_token: '<unk>',
  },
}

const config = {
  model_type: 'qwen2_5_vl',
  vocab_size: 32,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  rope_scaling: { type: 'mrope', mrope_section: [4, 6, 6] },
  tie_word_embeddings: true,
  hidden_act: 'silu',
  initializer_range: 0.05,
  eos_token_id: id('<|im_end|>'),
  image_token_id: id('<|image_pad|>'),
  video_token_id: 31,
  vision_start_token_id: id('<|vision_start|>'),
  vision_end_token_id: id('<|vision_end|>'),
  vision_config: {
    depth: 2,
    hidden_size: 64,
    intermediate_size: 128,
    num_heads: 2,
    out_hidden_size: 64,
    patch_size: 14,
    spatial_merge_size: 2,
    temporal_patch_size: 2,
    window_size: 112,
    fullatt_block_indexes: [1],
    hidden_act: 'silu',
    in_chans: 3,
  },
}

/** A new model; the same seed gives the same one. Close it when done. */
export function tinyModel(seed = 0) {
  return VisionLanguageModel.fromConfig(config, {
    seed,
    tokenizer,
    preprocessor: { min_pixels: 784, max_pixels: 12544 },
  })
}

/** A picture of four fields, 28 pixels each, with a square in those that are 1. */
export async function drawSquares(fields) {
  const width = 28 * fields.length
  const pixels = Buffer.alloc(width * 28)
  fields.forEach((filled, field) => {
    for (let y = 6; filled && y < 22; y++) pixels.fill(255, y * width + field * 28 + 6, y * width + field * 28 + 22)
  })
  return sharp(pixels, { raw: { width, height: 28, channels: 1 } })
    .png()
    .toBuffer()
}

/** `n` questions. With `reasoning` the answer is a whole response to learn from, without it the bare number to be rewarded for. */
export function squareQuestions(n, { reasoning, first = 0 }) {
  return Promise.all(
    Array.from({ length: n }, async (_, index) => {
      // The sixteen pictures in an order that mixes them.
      const fields = [...(((first + index) * 7) % 16).toString(2).padStart(4, '0')].map(Number)
      const count = fields.reduce((sum, field) => sum + field, 0)
      return {
        images: [await drawSquares(fields)],
        problem: 'how many squares ?',
        answer: reasoning ? `row ${fields.join(' ')} . \\boxed{ ${count} }` : String(count),
      }
    }),
  )
}
