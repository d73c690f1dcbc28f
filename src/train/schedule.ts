// The learning rate of an update.
import { native, unwrap } from '../native/index.js'
import type { CommonArgs } from './loop.js'

/** Rate of update `update` (from 0) of `total`. */
export function learningRate(args: CommonArgs, update: number, total: number): number {
  const { learningRate: peak, lrSchedulerType, warmupSteps, minLrRatio } = args
  return unwrap(native().learningRate(lrSchedulerType, peak, warmupSteps, minLrRatio, update, total))
}
