// The shape of a reward.
import type { Message, Row } from '../data/types.js'

/** Completions to judge: arrays of equal length, one entry a completion. The completions of a prompt stand together. */
export interface RewardBatch {
  prompts: readonly (readonly Message[])[]
  /** Decoded texts without special tokens. */
  completions: readonly string[]
  /** Length of each completion in tokens, its end token included; NaN in evaluations, where the text alone is scored. */
  completionTokens: readonly number[]
  /** Whether each completion was cut at the length limit; false in evaluations. */
  truncated: readonly boolean[]
  /** Gold answers of the rows. */
  answers: readonly (string | undefined)[]
  /** The rows themselves, other columns in `extra`. The completions of a prompt share one object. */
  rows: readonly Row[]
  /** Fires at the deadline and when the run is aborted. */
  signal: AbortSignal
  /** Step of the run, from 1; 0 in evaluations. */
  step: number
}

/**
 * One number a completion, or `null` where the reward does not apply: such a part is left out of the sum, and a completion to
 * which no reward applies takes no part in training. May be asynchronous. What throws, comes late or is neither a finite
 * number nor null is a fault: it is counted, told in a warning, and its completion has no reward at all.
 */
export type RewardFunc = (batch: RewardBatch) => (number | null)[] | Promise<(number | null)[]>

/** What came of asking one function about a batch. */
export interface Judgement {
  values: (number | null)[]
  /** True where the null of `values` is a fault, not an answer. */
  failed: boolean[]
  /** How many of them are not for lateness. */
  errors: number
  /** Calls that came late. */
  timeouts: number
  /** What went wrong, for a warning. */
  messages: string[]
}
