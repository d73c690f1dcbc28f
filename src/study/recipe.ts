// The numbers of the study: model, data sizes and the arguments of each stage. Only the sizes differ between the study and its quick version.
import type { GRPOArgs, SFTArgs } from '../train/args.js'
import { tokenId } from './vocabulary.js'

/** How much of everything. */
export interface Scale {
  /** Images of 2–4 training digits for the base model to read, and as many texts of arithmetic. */
  reading: number
  /** Cold-start examples of a seed. */
  coldStart: number
  /** Images of three training digits for reinforcement learning. */
  sums: number
  /** Held-out images of three digits, which the table is about. */
  heldOut: number
  /** Held-out images of two and of four digits. */
  otherLengths: number
  batch: number
  baseSteps: number
  coldStartSteps: number
  promptsPerStep: number
  numGenerations: number
  /** Steps of reinforcement learning after the cold start. */
  rlSteps: number
  /** Steps of reinforcement learning from the base model: its reward stays 0, which a hundred show as well as more. */
  rlAloneSteps: number
  /** Steps of warm-up of supervised stages and of reinforcement learning. */
  warmupSteps: { supervised: number; reinforcement: number }
}

export const FULL: Scale = {
  reading: 12_000,
  coldStart: 48,
  sums: 2_400,
  heldOut: 400,
  otherLengths: 100,
  batch: 32,
  baseSteps: 1_800,
  coldStartSteps: 400,
  promptsPerStep: 16,
  numGenerations: 8,
  rlSteps: 250,
  rlAloneSteps: 100,
  warmupSteps: { supervised: 20, reinforcement: 10 },
}

export const QUICK: Scale = {
  reading: 32,
  coldStart: 8,
  sums: 8,
  heldOut: 8,
  otherLengths: 4,
  batch: 4,
  baseSteps: 6,
  coldStartSteps: 4,
  promptsPerStep: 2,
  numGenerations: 2,
  rlSteps: 2,
  rlAloneSteps: 2,
  warmupSteps: { supervised: 1, reinforcement: 1 },
}

/** Digits of the images that the table and reinforcement learning are about. */
export const TABLE_DIGITS = 3
/** Longest answers in tokens: a chain over three digits has at most 29 with its end token, one over four 39. */
const RL_COMPLETION_LENGTH = 32
export const EVAL_COMPLETION_LENGTH = 48

const HIDDEN = 128

/** config.json of the model: Qwen2.5-VL in every part, 1.4 million parameters. */
export function modelConfig(): Record<string, unknown> {
  return {
    architectures: ['Qwen2_5_VLForConditionalGeneration'],
    model_type: 'qwen2_5_vl',
    torch_dtype: 'float32',
    vocab_size: 64,
    hidden_size: HIDDEN,
    intermediate_size: 384,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    hidden_act: 'silu',
    max_position_embeddings: 512,
    initializer_range: 0.02,
    rms_norm_eps: 1e-6,
    rope_theta: 1_000_000,
    rope_scaling: { type: 'mrope', mrope_section: [4, 6, 6] },
    use_sliding_window: false,
    attention_dropout: 0,
    tie_word_embeddings: true,
    bos_token_id: tokenId('<|endoftext|>'),
    eos_token_id: tokenId('<|im_end|>'),
    image_token_id: tokenId('<|image_pad|>'),
    video_token_id: tokenId('<|video_pad|>'),
    vision_start_token_id: tokenId('<|vision_start|>'),
    vision_end_token_id: tokenId('<|vision_end|>'),
    vision_token_id: tokenId('<|vision_pad|>'),
    vision_config: {
      model_type: 'qwen2_5_vl',
      depth: 3,
      hidden_size: 96,
      intermediate_size: 192,
      num_heads: 3,
      out_hidden_size: HIDDEN,
      hidden_act: 'silu',
      in_chans: 3,
      patch_size: 14,
      temporal_patch_size: 2,
      spatial_merge_size: 2,
      spatial_patch_size: 14,
      window_size: 112,
      fullatt_block_indexes: [2],
      tokens_per_second: 2,
    },
  }
}

/** preprocessor_config.json: mean and deviation are those of the digits; images keep their size. */
export function preprocessor(): Record<string, unknown> {
  return {
    image_processor_type: 'Qwen2VLImageProcessor',
    min_pixels: 28 * 28,
    max_pixels: 28 * 28 * 64,
    patch_size: 14,
    temporal_patch_size: 2,
    merge_size: 2,
    image_mean: [0.13, 0.13, 0.13],
    image_std: [0.31, 0.31, 0.31],
  }
}

/** generation_config.json. */
export function generationConfig(): Record<string, unknown> {
  return {
    bos_token_id: tokenId('<|endoftext|>'),
    pad_token_id: tokenId('<|endoftext|>'),
    eos_token_id: [tokenId('<|im_end|>'), tokenId('<|endoftext|>')],
  }
}

/** What every stage of the study shares. The vision tower starts from nothing, so nothing is frozen. */
const common = {
  adamBeta1: 0.9,
  adamBeta2: 0.95,
  maxGradNorm: 1,
  freeze: [] as string[],
  systemMessage: false as const,
}

/** The base model and the cold start: the same recipe at two learning rates. */
export function supervisedArgs(scale: Scale, stage: 'base' | 'sft', seed: number): SFTArgs {
  return {
    ...common,
    seed,
    maxSteps: stage === 'base' ? scale.baseSteps : scale.coldStartSteps,
    perDeviceTrainBatchSize: scale.batch,
    learningRate: stage === 'base' ? 2e-3 : 1e-3,
    lrSchedulerType: 'linear',
    minLrRatio: 0.1,
    warmupSteps: scale.warmupSteps.supervised,
    weightDecay: 0.05,
  }
}

/** GRPO without a reference model. One update a step, so the ratio is 1 and nothing is clipped. */
export function reinforcementArgs(scale: Scale, stage: 'rl' | 'sft+rl', seed: number): GRPOArgs {
  return {
    ...common,
    seed,
    maxSteps: stage === 'rl' ? scale.rlAloneSteps : scale.rlSteps,
    promptsPerStep: scale.promptsPerStep,
    numGenerations: scale.numGenerations,
    maxCompletionLength: RL_COMPLETION_LENGTH,
    temperature: 1,
    learningRate: 1e-4,
    lrSchedulerType: 'constant',
    warmupSteps: scale.warmupSteps.reinforcement,
    weightDecay: 0,
    beta: 0,
  }
}
