// From what the seeds left to study.json.
import { readFile } from 'node:fs/promises'
import { loadDataset } from '../data/load.js'
import type { StudyData } from './data.js'
import { accuracyOver, describeIntervals, gainOver } from './intervals.js'
import { TABLE_DIGITS } from './recipe.js'
import type { Answers, SeedResult } from './seed.js'
import { setNames } from './sets.js'
import { ARMS, type Arm, type ArmResult, type Sample, type StageResult, type StudyResult } from './types.js'

/** Samples shown: the first of the held-out set, whatever became of them. */
const SAMPLES = 12

type Numbers = Pick<
  StudyResult,
  'seeds' | 'arms' | 'stages' | 'intervals' | 'gain' | 'reading' | 'curves' | 'evalSeconds' | 'parameters'
>

/** Everything of study.json that is computed from results. `dataSeconds`: writing or verifying the data sets. */
export function summarize(results: readonly SeedResult[], dataSeconds: number): Numbers {
  const arms = ARMS.map((arm) => armResult(results, arm))
  const verdicts = (arm: Arm) => results.map((result) => result.arms[arm].table.correct)
  return {
    seeds: results.length,
    arms,
    gain: gainOver(verdicts('sft'), verdicts('sft+rl')),
    reading: accuracyOver(
      results.map((result) => right(result.reading)),
      results[0]?.reading.correct.length ?? 0,
    ),
    intervals: describeIntervals(results.length),
    stages: [
      { name: 'data', seconds: dataSeconds, tokens: 0, perSeed: [] },
      ...ARMS.map((arm): StageResult => {
        const perSeed = results.map((result) => result.stages[arm])
        return {
          name: arm,
          seconds: perSeed.reduce((sum, stage) => sum + stage.seconds, 0),
          tokens: perSeed.reduce((sum, stage) => sum + stage.tokens, 0),
          perSeed,
        }
      }),
    ],
    curves: results.flatMap((result) =>
      result.curves.map((curve) => ({ ...curve, values: curve.values.map(sixDigits) })),
    ),
    evalSeconds: results.reduce((sum, result) => sum + result.evalSeconds, 0),
    parameters: results[0]?.parameters ?? 0,
  }
}

function armResult(results: readonly SeedResult[], arm: Arm): ArmResult {
  const tables = results.map((result) => result.arms[arm].table)
  const others = results[0]?.arms[arm].otherLengths ?? []
  return {
    arm,
    ...accuracyOver(tables.map(right), tables[0]?.correct.length ?? 0),
    truncated: tables.reduce((sum, table) => sum + table.truncated, 0),
    otherLengths: others.map(({ digits }, index) => {
      const answers = results.flatMap((result) => result.arms[arm].otherLengths[index]?.answers.correct ?? [])
      return { digits, accuracy: answers.filter(Boolean).length / answers.length, n: answers.length }
    }),
  }
}

/** A curve is looked at: more digits would only make the file three times as large. */
const sixDigits = (value: number): number => Number(value.toPrecision(6))

const right = (answers: Answers): number => answers.correct.filter(Boolean).length

/** The first held-out images with the answers of every arm of one seed. */
export async function samplesOf(data: StudyData, result: SeedResult): Promise<Sample[]> {
  const dataset = await loadDataset(data.path(setNames.heldOut(TABLE_DIGITS)))
  const samples: Sample[] = []
  for (let index = 0; index < Math.min(SAMPLES, dataset.length); index++) {
    const row = dataset.row(index)
    const parts = row.messages.flatMap((message) => message.content)
    const image = parts.find((part) => part.type === 'image')?.image
    if (typeof image !== 'string') continue
    samples.push({
      id: row.id,
      image: `data:image/png;base64,${(await readFile(image)).toString('base64')}`,
      problem: parts
        .flatMap((part) => (part.type === 'text' ? [part.text] : []))
        .join('')
        .trim(),
      answer: row.answer ?? '',
      responses: ARMS.map((arm) => {
        const { responses, correct } = result.arms[arm].table
        return { arm, text: responses[index] ?? '', correct: correct[index] ?? false }
      }),
    })
  }
  return samples
}
