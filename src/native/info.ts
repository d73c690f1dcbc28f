// What the engine says about itself and the machine.
import { type GraderLimits, native, unwrap } from './index.js'

/** The engine on this machine. */
export interface EngineInfo {
  /** Threads the engine computes on. */
  threads: number
  /** Product kernels in use. */
  kernels: { float32: string; bfloat16: string }
  /** CPU features found that the kernels know how to use. */
  cpuFeatures: string[]
}

/** Threads, kernels and CPU features of this machine. */
export function engineInfo(): EngineInfo {
  return unwrap(native().engineInfo())
}

/** What a verdict of the grader may use. */
export function graderLimits(): GraderLimits {
  return unwrap(native().graderLimits())
}
