/** The benchmarks that are built in. */

import type { Benchmark, BenchmarkName } from '../types.js'
import { geometry3k } from './geometry3k.js'
import { mathverse } from './mathverse/index.js'
import { mathvision } from './mathvision/index.js'
import { mathvista } from './mathvista/index.js'
import { wemath } from './wemath/index.js'

/** By name, in the order of tables. */
export const benchmarks: Readonly<Record<BenchmarkName, Benchmark>> = {
  mathvista,
  mathverse,
  mathvision,
  wemath,
  geometry3k,
}
