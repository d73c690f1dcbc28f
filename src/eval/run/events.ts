/** What a run tells while it goes. */

import type { PresetName } from '../types.js'
import type { EvaluationReport } from './types.js'

/** Told in this order: `start`, `images` while they are checked, `row` for each response, `scored`, `end`. */
export type EvaluationEvent =
  | {
      type: 'start'
      benchmark: string
      preset: PresetName
      split: string
      /** Rows to answer, and how many of them an earlier call answered. */
      rows: number
      done: number
    }
  | { type: 'images'; done: number; total: number }
  | {
      type: 'row'
      id: string
      done: number
      total: number
      promptTokens: number
      tokens: number
      finishReason: 'stop' | 'length'
      /** Tokens of prompts and responses a second, since the command began. */
      tokensPerSecond: number
      /** Seconds that the rest takes at that speed. */
      secondsLeft: number
    }
  | { type: 'scored'; done: number; total: number }
  | { type: 'end'; report: EvaluationReport }

/** Gets the events of a run. */
export type EvaluationListener = (event: EvaluationEvent) => void
