// The shape of a reward.
import type { Message, Row } from '../data/types.js'

/** Completions to judge: arrays of equal length, one entry a completion. */
export interface RewardBatch {
  prompts: readonly (readonly Message[])[]
  /** Decoded texts without special tokens. */
  completions: readonly string[]
  /** Gold answers of the rows. */
  answers: readonly (string | undefined)[]
  /** The rows themselves, other columns in `extra`. */
  rows: readonly Row[]
  /** Fires at the deadline and when the run is aborted. */
  signal: AbortSignal
  /** Step of the run, from 1. */
  step: number
}

/** One number a completion; `null` where the reward does not apply. May be asynchronous. */
export type RewardFunc = (batch: RewardBatch) => (number | null)[] | Promise<(number | null)[]>
