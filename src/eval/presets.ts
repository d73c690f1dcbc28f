/**
 * What a preset fixes for every benchmark: how the model is asked and sampled, and how a judge is asked. Questions, rules
 * and reports are the benchmarks' own.
 */

import type { PresetName, Protocol } from './types.js'

/** How the paper that this package follows and its sister projects ask. */
export const paper = {
  preset: 'paper',
  system: 'You are a helpful assistant.',
  /** A sister project has a space in place of the line break, and a full stop at the end: both are given as an option. */
  suffix: '\nPlease reason step by step, and put your final answer within \\boxed{}',
  pixels: { minPixels: 224 * 224, maxPixels: 1280 * 28 * 28 },
  sampling: { temperature: 0.2, maxNewTokens: 16_384 },
  judge: { temperatures: [0], maxTokens: 2048 },
} as const satisfies PresetFacts

/** How the public toolkit asks. */
export const vlmevalkit = {
  preset: 'vlmevalkit',
  pixels: { minPixels: 1280 * 28 * 28, maxPixels: 16_384 * 28 * 28 },
  sampling: { temperature: 0.01, topP: 0.001, topK: 1, repetitionPenalty: 1, maxNewTokens: 2048 },
  /** A try that fails is repeated hotter. */
  judge: { temperatures: [0, 0.5, 1, 1.5, 2], maxTokens: 128 },
} as const satisfies PresetFacts

/** How the benchmarks' own scripts ask. Only MATH-Vision says how it samples; the others are asked the same way. */
export const official = {
  preset: 'official',
  sampling: { temperature: 0, maxNewTokens: 4096 },
  judge: { temperatures: [0], maxTokens: 256 },
} as const satisfies PresetFacts

interface PresetFacts extends Pick<Protocol, 'sampling' | 'pixels'> {
  readonly preset: PresetName
  readonly system?: string
  readonly suffix?: string
  readonly judge: JudgeSettings
}

/** How a judge is asked. */
export interface JudgeSettings {
  /** One try each, in this order, until a reply is usable. */
  readonly temperatures: readonly number[]
  /** Undefined: the endpoint's own limit. */
  readonly maxTokens?: number
}
