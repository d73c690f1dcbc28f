// What goes into generation and what comes out.
import type { Message } from '../data/types.js'

/** A prompt: a conversation, or a text that becomes one user turn. */
export type PromptInput = string | readonly Message[] | { messages: readonly Message[] }

/** Numbers every product of the engine is computed in. On the CPU `bfloat16` rounds the operands of matrix products only. */
export type DType = 'float32' | 'bfloat16' | 'float64'

/** How to sample. Everything is optional. */
export interface GenerateOptions {
  /** Longest completion in tokens. Default 512. */
  maxNewTokens?: number | undefined
  /** Completions of each prompt. Prompt and images are computed once for all of them. Default 1. */
  numReturnSequences?: number | undefined
  /** 0 takes the likeliest token; else from 1e-6 to 1e6. Default 1. */
  temperature?: number | undefined
  /** Keep the `topK` likeliest tokens; 0 keeps all. Default 0. */
  topK?: number | undefined
  /** Keep the smallest set of tokens whose probability reaches `topP`. Default 1. */
  topP?: number | undefined
  /** Keep tokens of at least `minP` times the likeliest one's probability. Default 0. */
  minP?: number | undefined
  /** Divides (positive) or multiplies (negative) the logits of ids seen before; from 1e-6 to 1e6. Default 1. */
  repetitionPenalty?: number | undefined
  /** Same seed, same completions of a prompt at the same place, whatever else is in the batch. Default 0. */
  seed?: number | undefined
  /** Ids that are never sampled; those of images and of no token never are anyway. */
  bannedIds?: readonly number[] | undefined
  /** Ids that end a completion; by default those of `generation_config.json`. */
  stopIds?: readonly number[] | undefined
  /** Texts that end a completion; the text is cut before them; ids and log-probabilities end with the token that completes one. */
  stopStrings?: readonly string[] | undefined
  /** System turn for conversations without one; `false` leaves it out. */
  systemMessage?: string | false | undefined
  /** Longest prompt in tokens; a longer one is `E_TOO_LONG`. */
  maxPromptLength?: number | undefined
  /** Ends the call, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
}

/** One sampled completion. */
export interface Completion {
  /** Decoded text without special tokens. */
  text: string
  /** Sampled ids, the end token included. */
  ids: Uint32Array
  /** Log-probability of each id under the full distribution at the sampling temperature (temperature 1 when greedy). */
  logProbs: Float32Array
  /** Share of the probability that top-k, top-p and min-p kept at each id; 1 without them. */
  keptMass: Float32Array
  /** `stop`: an end token or a stop string; `length`: cut at `maxNewTokens`. */
  finishReason: 'stop' | 'length'
}

/** A piece of a streamed completion; the last one carries the reason it ended. */
export interface StreamChunk {
  text: string
  ids: Uint32Array
  logProbs: Float32Array
  finishReason?: 'stop' | 'length'
}

/** Parameters of a model, all and trainable, by part. */
export interface ParameterCounts {
  total: number
  trainable: number
  vision: { total: number; trainable: number }
  merger: { total: number; trainable: number }
  language: { total: number; trainable: number }
}
