// What a kind of training adds to the loop, and what the parts of the loop share of a run.
import type { VisionLanguageModel } from '../model/model.js'
import type { NativeModel } from '../native/index.js'
import type { ResolvedGRPOArgs, ResolvedSFTArgs } from './args.js'
import type { Stage, TrainEvent } from './events.js'
import type { RunFolder } from './run-folder.js'

/** The arguments that mean the same to both trainers. */
export type CommonArgs = Pick<
  ResolvedSFTArgs,
  Exclude<
    keyof ResolvedSFTArgs & keyof ResolvedGRPOArgs,
    'lossAggregation' | 'aggregationGroup' | 'aggregationInterleaved'
  >
>

export interface StepResult {
  metrics: Record<string, number>
  tokens: number
  warnings?: { code: string; message: string }[]
  samples?: Record<string, unknown>[]
  /** What run.json is to say of the run from now on. */
  facts?: Record<string, unknown>
}

/** Of a step that came out non-finite: one row or completion, what is known of it, and whether its own numbers are at fault. */
export interface Suspect {
  source: string
  isAtFault: boolean
  facts: Record<string, unknown>
}

/** What a kind of training adds to the loop. */
export interface TrainingStage {
  readonly stage: Stage
  readonly args: CommonArgs
  readonly numRows: number
  readonly maxSteps: number
  readonly fingerprint: string
  /** What decides the numbers of a run beside the arguments, the data and the model. */
  readonly settings?: Record<string, unknown>
  /** What the engine must know beyond the common arguments. */
  readonly startOptions?: { sftGroup?: number; sftInterleaved?: boolean }
  /** Runs step `step` (from 0). Weights change only if it returns, unless it throws after the point of no return it documents. */
  step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult>
  evaluate?(native: NativeModel, signal: AbortSignal): Promise<Record<string, number>>
  /** Looks at the step that has just come out non-finite; the weights are those before it. */
  suspects(native: NativeModel): Promise<Suspect[]>
  /** Position in the data and counters: everything that is not in the engine. */
  save(): Record<string, unknown>
  restore(state: Record<string, unknown>): void
  /** Waits for work started ahead. */
  close(): Promise<void>
}

/** A stage that runs. */
export interface Run {
  readonly stage: TrainingStage
  readonly model: VisionLanguageModel
  readonly engine: NativeModel
  /** Where files go, if any are written. */
  readonly folder: RunFolder | undefined
  /** What decides the numbers of the run. */
  readonly settings: Record<string, unknown>
}

export function warning({ stage }: Run, step: number, code: string, message: string): TrainEvent {
  return { type: 'warning', stage: stage.stage, step, code, message }
}
