// What the engine says about itself and the machine.
import { native, unwrap } from './index.js'

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
