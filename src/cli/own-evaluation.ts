/** The folder of an evaluation by data and score of a user's own: what it is of, and its results. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schemas.js'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'
import type { EvalResult } from '../eval/evaluate.js'
import { modelFingerprint } from '../eval/run/fingerprints.js'
import { differences } from '../eval/run/identity.js'
import { asPathError, makeOutputFolder } from '../files/folder.js'
import { jsonLines, jsonText, writeWhole } from '../files/write.js'
import { isEvaluation } from '../report/read-eval.js'
import { version } from '../version.js'

/** A configuration that answers a data set. */
export type DatasetConfig = Exclude<Config<'eval'>, { benchmark: unknown }>

/** What an evaluation is of: everything that decides its responses and their scores. Paths alone may differ. */
export interface EvaluationFacts {
  coldstart: string
  answers: Record<string, unknown>
  dataset: Record<string, unknown>
  score: DatasetConfig['score']
  generate: DatasetConfig['generate']
}

/**
 * Makes the folder ready for results, which replace those of the same evaluation and of nothing else. Resolves to what they are of.
 *
 * @param fingerprint that of the data.
 * @throws ColdstartError `E_CONFIG` naming what the folder holds, `E_PATH` where it cannot be written to.
 */
export async function claimFolder(
  folder: string,
  config: DatasetConfig,
  fingerprint: string,
  signal: AbortSignal,
): Promise<EvaluationFacts> {
  await makeOutputFolder(folder)
  const facts = await factsOf(config, fingerprint, signal)
  const held = await heldBy(folder, facts)
  if (held === undefined) return facts
  throw new ColdstartError('E_CONFIG', `outputDir: ${folder} already holds ${held}`, {
    hint: 'choose another folder; only the same evaluation may be written over',
  })
}

/** Writes every response and, last, what they come to. */
export async function writeEvaluation(
  folder: string,
  facts: EvaluationFacts,
  { rows, ...summary }: EvalResult,
): Promise<void> {
  await asPathError(`outputDir: ${folder}`, async () => {
    await writeWhole(join(folder, 'responses.jsonl'), jsonLines(rows))
    await writeWhole(join(folder, 'eval.json'), jsonText({ ...summary, of: facts }))
  })
}

async function factsOf(
  { model, data, score, generate }: DatasetConfig,
  fingerprint: string,
  signal: AbortSignal,
): Promise<EvaluationFacts> {
  const { test, ...reading } = data
  return {
    coldstart: version,
    answers: { ...model, fingerprint: await modelFingerprint(model.path, signal) },
    dataset: { path: test, ...reading, fingerprint },
    score,
    generate,
  }
}

/** What stands in the way of this evaluation. */
async function heldBy(folder: string, facts: EvaluationFacts): Promise<string | undefined> {
  const has = (name: string) => existsSync(join(folder, name))
  if (await isEvaluation(folder)) return 'an evaluation of a benchmark'
  if (['metrics.jsonl', 'config.resolved.yaml', 'checkpoints'].some(has)) return 'a training run'
  if (has('study.json')) return 'a study'
  const bytes = await asPathError(join(folder, 'eval.json'), () => readIfPresent(join(folder, 'eval.json')))
  if (bytes === undefined) return has('responses.jsonl') ? 'a responses.jsonl of something else' : undefined
  const then = factsIn(bytes.toString('utf8'))
  if (then === undefined) return 'an eval.json that does not say what it is of'
  const different = differences(then, facts)
  return different.length === 0 ? undefined : `another evaluation: ${different.join('; ')}`
}

function factsIn(text: string): object | undefined {
  try {
    const { of } = JSON.parse(text) as { of?: unknown }
    return typeof of === 'object' && of !== null ? of : undefined
  } catch {
    return undefined
  }
}
