// The learning rate of an update.
import { ColdstartError } from '../errors.js'
import { native, unwrap } from '../native/index.js'
import type { CommonArgs } from './stage.js'

/** Rate of update `update` (from 0) of `total`. */
export function learningRate(args: CommonArgs, update: number, total: number): number {
  const { learningRate: peak, lrSchedulerType, warmupSteps, minLrRatio } = args
  return unwrap(native().learningRate(lrSchedulerType, peak, warmupSteps, minLrRatio, update, total))
}

/** Refuses a warm-up that never ends, before a rollout was paid for. `total` is the number of updates of the run. */
export function checkWarmup({ lrSchedulerType, warmupSteps }: CommonArgs, total: number): void {
  if (lrSchedulerType === 'constant' || total === 0 || warmupSteps < total) return
  throw new ColdstartError(
    'E_CONFIG',
    `args.warmupSteps: expected fewer than the ${total} updates of the run, got ${warmupSteps}`,
  )
}
