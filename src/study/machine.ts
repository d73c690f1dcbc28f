// What the study ran on.
import { availableParallelism, cpus, totalmem } from 'node:os'
import { engineInfo } from '../native/info.js'
import type { MachineFacts } from './types.js'

/** Names neither the host nor its user. */
export function machineFacts(): MachineFacts {
  const engine = engineInfo()
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    logicalCores: availableParallelism(),
    threads: engine.threads,
    kernel: engine.kernels.float32,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
  }
}
