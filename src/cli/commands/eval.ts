/** `coldstart eval`: a benchmark, or a data set that is answered and scored by a reward. */

import { existsSync } from 'node:fs'
import { type Override, resolveConfig } from '../../config/resolve.js'
import { benchmarkNames } from '../../config/schemas.js'
import { loadDataset } from '../../data/load.js'
import { ColdstartError } from '../../errors.js'
import type { EvalResult } from '../../eval/evaluate.js'
import { judgeText } from '../../reward/call.js'
import type { RewardFunc } from '../../reward/types.js'
import { compact, duration, percent } from '../format.js'
import { needModel } from '../model-folder.js'
import { type NamedFlags, overridesOf } from '../overrides.js'
import { claimFolder, type DatasetConfig, writeEvaluation } from '../own-evaluation.js'
import type { Context } from '../program.js'
import { withRewards } from '../rewards.js'

/** Flags of the command. */
export interface EvalFlags extends NamedFlags {
  outputDir?: string
  benchmark?: string
  data?: string
  split?: string
  preset?: string
  responses?: string
  judge?: string
  judgeModel?: string
  judgeMaxCalls?: number
  limit?: number
  partial?: boolean
}

/** Flags that are keys under `benchmark`, as they are typed. */
const benchmarkFlags = {
  benchmark: ['name', '--benchmark'],
  data: ['data', '--data'],
  split: ['split', '--split'],
  preset: ['preset', '--preset'],
  responses: ['responses', '--responses'],
  judge: ['judge', '--judge'],
  judgeModel: ['judgeModel', '--judge-model'],
  judgeMaxCalls: ['judgeMaxCalls', '--judge-max-calls'],
  limit: ['limit', '--limit'],
  partial: ['partial', '--partial'],
} as const

/** Evaluates as a configuration says and prints the score with its 95 % interval. */
export async function evalCommand(file: string | undefined, flags: EvalFlags, context: Context): Promise<void> {
  if (benchmarkNames.some((name) => name === file) && !existsSync(`${file}`)) {
    throw new ColdstartError('E_USAGE', `${file} is a benchmark, not a configuration file`, {
      hint: `coldstart eval --benchmark ${file} --data …`,
    })
  }
  if (flags.test !== undefined) refuseBenchmarkFlags(flags)
  const overrides = overridesOf(flags)
  if (flags.outputDir !== undefined) {
    overrides.push({ path: ['outputDir'], value: flags.outputDir, flag: `--output-dir ${flags.outputDir}` })
  }
  const { config } = await resolveConfig('eval', file, benchmarkOverrides(flags, overrides))
  if ('benchmark' in config) {
    const { benchmarkCommand } = await import('./eval-benchmark.js')
    return benchmarkCommand(config, context)
  }
  await withRewards([config.score], ([reward]) => evaluateWith(reward as RewardFunc, config, context))
}

/** Of flags that mean two things at once the schema would tell one fault a key, and not the reason. */
function refuseBenchmarkFlags(flags: EvalFlags): void {
  const given = Object.entries(benchmarkFlags).find(
    ([name]) => flags[name as keyof typeof benchmarkFlags] !== undefined,
  )
  if (given === undefined) return
  const [, [, flag]] = given
  const reason = flag === '--benchmark' ? 'either a benchmark or rows of your own' : 'it belongs to --benchmark'
  throw new ColdstartError('E_USAGE', `${flag} with --test: ${reason}`, {
    hint: 'coldstart eval --help says which flags go together',
  })
}

/** The flags of a benchmark and `--set`, which wins over them. A query is where people put keys: an error does not repeat it. */
export function benchmarkOverrides(flags: Partial<EvalFlags>, set: readonly Override[]): Override[] {
  const named = Object.entries(benchmarkFlags).flatMap(([name, [key, flag]]): Override[] => {
    const value = flags[name as keyof typeof benchmarkFlags]
    return value === undefined ? [] : [{ path: ['benchmark', key], value, flag: `${flag} ${value}` }]
  })
  const isAddress = ({ path }: Override) => path.join('.') === 'benchmark.judge'
  return [...named, ...set].map((override) =>
    isAddress(override) ? { ...override, flag: override.flag.replace(/\?.*/s, '?…') } : override,
  )
}

async function evaluateWith(reward: RewardFunc, config: DatasetConfig, { output, signal }: Context): Promise<void> {
  needModel(config.model.path)
  const { test, ...reading } = config.data
  const dataset = await loadDataset(test, { ...reading, signal })
  // Before the work: what it finds has no other place.
  const { outputDir } = config
  const facts = outputDir === undefined ? undefined : await claimFolder(outputDir, config, dataset.fingerprint, signal)

  const [{ VisionLanguageModel }, { evaluate }] = await Promise.all([
    import('../../model/model.js'),
    import('../../eval/evaluate.js'),
  ])
  const { path, dtype, ...pixels } = config.model
  output.say(`loading ${path}`)
  const model = await VisionLanguageModel.fromPretrained(path, {
    ...pixels,
    ...(dtype === undefined ? {} : { dtype }),
    signal,
  })
  try {
    const result = await evaluate({
      model,
      dataset,
      generate: config.generate,
      batchSize: config.batchSize,
      signal,
      score: async (completion, row) => {
        const { values, messages } = await judgeText(reward, completion, row, signal)
        for (const message of messages) output.say(`${row.source}: ${reward.name}: ${message}`)
        return values[0] ?? null
      },
      onProgress: (done, total) => {
        output.step({ type: 'progress', done, total })
        output.progress(`eval ${done}/${total}`)
      },
    })
    if (outputDir !== undefined && facts !== undefined) await writeEvaluation(outputDir, facts, result)
    const { rows, ...summary } = result
    output.event({ type: 'result', ...summary, fingerprint: dataset.fingerprint })
    output.result(describe(result))
  } finally {
    await model.close()
  }
}

function describe({ accuracy, ci95, n, correct, unscorable, truncated, seconds, tokens }: EvalResult): string {
  const [low, high] = ci95
  const notes = [
    `${Number(correct.toFixed(3))} of ${n} right`,
    ...(unscorable > 0 ? [`${unscorable} unscorable`] : []),
    ...(truncated > 0 ? [`${truncated} cut at the length limit`] : []),
    `${duration(seconds)}, ${compact(tokens / seconds)} tokens/s`,
  ]
  return `accuracy ${percent(accuracy)} (95 % interval ${percent(low)} to ${percent(high)}): ${notes.join('; ')}\n`
}
