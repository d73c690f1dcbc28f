/** `coldstart eval`: answers a data set and scores the answers. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveConfig } from '../../config/resolve.js'
import { loadDataset } from '../../data/load.js'
import type { Row } from '../../data/types.js'
import type { EvalResult } from '../../eval/evaluate.js'
import type { RewardFunc } from '../../reward/types.js'
import { compact, duration, percent } from '../format.js'
import { type NamedFlags, overridesOf } from '../overrides.js'
import type { Context } from '../program.js'
import { resolveReward } from '../rewards.js'

/** Flags of the command. */
export interface EvalFlags extends NamedFlags {
  outputDir?: string
}

/** Evaluates as a configuration says and prints the accuracy with its 95 % interval. */
export async function evalCommand(
  file: string | undefined,
  flags: EvalFlags,
  { output, signal }: Context,
): Promise<void> {
  const overrides = overridesOf(flags)
  if (flags.outputDir !== undefined) {
    overrides.push({ path: ['outputDir'], value: flags.outputDir, flag: `--output-dir ${flags.outputDir}` })
  }
  const { config } = await resolveConfig('eval', file, overrides)
  const reward = await resolveReward(config.score)
  const { test, ...reading } = config.data
  const dataset = await loadDataset(test, { ...reading, signal })

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
      score: (completion, row) => scoreOne(reward, completion, row, signal),
      onProgress: (done, total) => {
        output.event({ type: 'progress', done, total })
        output.progress(`eval ${done}/${total}`)
      },
    })
    if (config.outputDir !== undefined) await writeResult(config.outputDir, result)
    const { rows, ...summary } = result
    output.event({ type: 'result', ...summary, fingerprint: dataset.fingerprint })
    output.result(describe(result))
  } finally {
    await model.close()
  }
}

/** A reward judges whole batches; here each completion is a batch of one. */
async function scoreOne(reward: RewardFunc, completion: string, row: Row, signal: AbortSignal): Promise<number | null> {
  const [score = null] = await reward({
    prompts: [row.messages],
    completions: [completion],
    answers: [row.answer],
    rows: [row],
    signal,
    step: 0,
  })
  return score
}

async function writeResult(folder: string, { rows, ...summary }: EvalResult): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'responses.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await writeFile(join(folder, 'eval.json'), `${JSON.stringify(summary, null, 2)}\n`)
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
