/** What a caller says about a benchmark run. */

import { ColdstartError } from '../../errors.js'
import type { DType } from '../../model/types.js'
import type { Benchmark, BenchmarkName, PresetName, Protocol, ProtocolOptions, Sampling } from '../types.js'
import type { EvaluationListener } from './events.js'
import type { JudgeOption } from './judge.js'

/** What to measure, on what, and how. Either `model` or `responses` is given. */
export interface RunBenchmarkOptions {
  benchmark: BenchmarkName | Benchmark
  /** Data file, or a folder in one of the published layouts. */
  data: string
  /** Default: the benchmark's first split. */
  split?: string | undefined
  /** Default `official`, the protocol of the benchmark's authors; a benchmark without one has its first as default. */
  preset?: PresetName | undefined
  /** Switches of the protocol; those it does not read are refused. */
  options?: ProtocolOptions | undefined
  /** Model folder. It is loaded with the protocol's limits on image sizes. */
  model?: string | undefined
  /** Numbers of the engine. Default `float32`. */
  dtype?: DType | undefined
  /** JSON lines `{ id, response }` in place of a model. Rows without one are wrong and counted as missing. */
  responses?: string | undefined
  /** Folder of the evaluation. If it holds a part of the same run, that run goes on. */
  outputDir: string
  /** Who settles what rules alone cannot. Default `rules`; in the folder of a scored run its last judge, by the stored replies. */
  judge?: JudgeOption | undefined
  /** Answer the first rows only; the report says that it is of a subset. */
  limit?: number | undefined
  /** The data is a part of the split: any number of rows is right, and the report says that it is of a subset. */
  partial?: boolean | undefined
  /** Folder of image paths. Default: the folder of the data. */
  imageRoot?: string | undefined
  /** Seed of sampling. Default 0. */
  seed?: number | undefined
  /** Longest response in tokens. Default: the protocol's. */
  maxNewTokens?: number | undefined
  /** Rows generated together: their images and caches are in memory at one time. Default 16. */
  batchSize?: number | undefined
  signal?: AbortSignal | undefined
  onEvent?: EvaluationListener | undefined
}

/** Who answers. */
export type Answerer =
  | { kind: 'model'; path: string; sampling: Sampling & { seed: number } }
  | { kind: 'responses'; path: string }

/** Throws `E_CONFIG` for counts that are none. */
export function checkCounts(options: RunBenchmarkOptions): void {
  for (const [name, least] of [
    ['limit', 1],
    ['maxNewTokens', 1],
    ['batchSize', 1],
    ['seed', 0],
  ] as const) {
    const value = options[name]
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue
    throw new ColdstartError('E_CONFIG', `${name}: expected an integer of at least ${least}, got ${value}`)
  }
}

/** The model with the protocol's sampling, or the file. Throws `E_CONFIG` for both and for neither. */
export function answererOf(options: RunBenchmarkOptions, { sampling }: Protocol): Answerer {
  const { model, responses, seed = 0, maxNewTokens = sampling.maxNewTokens } = options
  if (model !== undefined && responses === undefined) {
    return { kind: 'model', path: model, sampling: { ...sampling, maxNewTokens, seed } }
  }
  if (model === undefined && responses !== undefined) return { kind: 'responses', path: responses }
  throw new ColdstartError(
    'E_CONFIG',
    model === undefined ? 'who answers is missing' : 'both model and responses given',
    {
      hint: 'give a model folder, or a file of responses',
    },
  )
}
