// What a trainer tells while it runs.
import type { ParameterCounts } from '../model/types.js'

/** Kind of training. */
export type Stage = 'sft' | 'grpo'

/** One event of a run, told apart by `type`. */
export type TrainEvent =
  | {
      type: 'start'
      stage: Stage
      /** Steps done before, when the run was resumed. */
      step: number
      maxSteps: number
      numRows: number
      parameters: ParameterCounts
      /** Checkpoint the run goes on from. */
      resumedFrom?: string
    }
  | {
      type: 'step'
      stage: Stage
      /** Steps done, from 1. */
      step: number
      maxSteps: number
      /** Under the names of the field: `loss`, `grad_norm`, `reward/overall`, `actor/pg_loss`, … */
      metrics: Record<string, number>
      /** Tokens computed in this step, prompts and completions. */
      tokens: number
      seconds: number
    }
  | { type: 'checkpoint'; stage: Stage; step: number; path: string }
  | { type: 'eval'; stage: Stage; step: number; metrics: Record<string, number> }
  | { type: 'warning'; stage: Stage; step: number; code: string; message: string }
  | { type: 'end'; stage: Stage; step: number; reason: 'done' | 'aborted' }

/** How a trainer runs. */
export interface RunOptions {
  /** Ends the run at the next safe point, after a checkpoint if it writes files. */
  signal?: AbortSignal | undefined
  /** Asked after every step; `true` saves a checkpoint now. */
  saveRequested?: (() => boolean) | undefined
}

/** What a finished run leaves in memory. */
export interface TrainOutput {
  /** Steps done in all, resumed ones included. */
  step: number
  /** Metrics of every step of this process, in order. */
  history: { step: number; metrics: Record<string, number> }[]
  /** Newest checkpoint, when the run writes files. */
  checkpoint?: string
}

/** Structured logging in pino's call shape. */
export interface Logger {
  /** Progress. */
  info(fields: Record<string, unknown>, message?: string): void
  /** Something the run survives. */
  warn(fields: Record<string, unknown>, message?: string): void
}
