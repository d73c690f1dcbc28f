/** Two evaluations of the same protocol on the same rows: is one better, and where do they differ. */

import { join } from 'node:path'
import { ColdstartError } from '../errors.js'
import { differences } from './run/identity.js'
import type { DataLine, EvaluationReport, RunFacts, ScoreLine } from './run/types.js'
import { comparePaired, type PairedResult } from './statistics.js'
import { readEvaluation, readScored } from './store.js'

/** One side of a comparison. */
export interface ComparedRun {
  folder: string
  /** The model folder or file of responses. */
  answers: string
  /** The protocol's headline, and its 95 % interval. */
  score: number
  ci95: [low: number, high: number]
  /** Rows without a verdict; they count as wrong in `score`. */
  unjudged: number
  /** More than 1 % of its rows have none. */
  incomplete: boolean
}

/** How to compare. */
export interface CompareOptions {
  /** Compare also where more than 1 % of the rows of a side have no verdict. Default false. */
  incomplete?: boolean | undefined
}

/**
 * What {@link compareEvaluations} finds. Differences are those of plain accuracy, second less first, over the rows that have a verdict
 * on both sides.
 */
export interface Comparison extends PairedResult {
  protocol: RunFacts['protocol']
  judge: string | null
  dataset: { split: string; answered: number; published: number }
  /** Neither is a score of the benchmark: the rows are not those of the published split. */
  subset: boolean
  /** Rows left out, because a side has no verdict on them: an endpoint's fault is no answer of a model. */
  leftOut: number
  /** What the headline of both is. */
  metric: string
  a: ComparedRun
  b: ComparedRun
  /** Rows on which the runs differ, by breakdown and key; keys on which they agree are left out. */
  breakdowns: Record<string, Record<string, { n: number; onlyA: number; onlyB: number }>>
  /** Ids of the rows that only one of them got right. */
  onlyAIds: string[]
  onlyBIds: string[]
}

/** Facts in which two runs may differ and still be compared: who answered, and the seed of the sampling. */
const free = /^(answers\.|sampling\.seed:)/

/** Facts that nobody knows of responses from a file; unknown on one side, they are no difference. */
const unknown = /^(sampling|pixels|dataset\.images)/

/**
 * Compares two finished evaluation folders row by row.
 *
 * ```ts
 * const { difference, ci95, pValue } = await compareEvaluations('runs/base', 'runs/trained')
 * ```
 *
 * @throws ColdstartError `E_CKPT_MISMATCH` naming what differs where protocols, judges or data are not the same; `E_CONFIG` where a side
 * is incomplete and that is not allowed, or no row has both verdicts; `E_PATH` for a folder that holds no scored evaluation;
 * `E_CKPT_CORRUPT` naming a line, or a folder whose files do not belong together.
 */
export async function compareEvaluations(
  folderA: string,
  folderB: string,
  options: CompareOptions = {},
): Promise<Comparison> {
  const [a, b] = await Promise.all([readSide(folderA), readSide(folderB)])
  refuseDifferent(a, b)
  if (options.incomplete !== true) for (const side of [a, b]) refuseIncomplete(side)
  const pairs = a.data.filter(({ id }) => isJudged(a, id) && isJudged(b, id))
  if (pairs.length === 0) {
    throw new ColdstartError('E_CONFIG', `no row has a verdict both in ${a.folder} and in ${b.folder}`, {
      hint: scoreAgain,
    })
  }
  const right = (side: Side) => pairs.map(({ id }) => side.verdicts.get(id) === true)
  const [rightA, rightB] = [right(a), right(b)]
  const { protocol, judge, dataset, metric, subset } = a.report
  const idsWhere = (test: (row: number) => boolean) => pairs.filter((_, row) => test(row)).map(({ id }) => id)
  return {
    ...comparePaired(rightA, rightB),
    protocol,
    judge,
    dataset: { split: dataset.split, answered: dataset.answered, published: dataset.published },
    subset,
    leftOut: a.data.length - pairs.length,
    metric,
    a: runOf(a),
    b: runOf(b),
    breakdowns: discordant(pairs, rightA, rightB),
    onlyAIds: idsWhere((row) => rightA[row] === true && rightB[row] !== true),
    onlyBIds: idsWhere((row) => rightA[row] !== true && rightB[row] === true),
  }
}

interface Side {
  folder: string
  facts: RunFacts
  report: EvaluationReport
  data: DataLine[]
  verdicts: Map<string, ScoreLine['correct']>
}

async function readSide(folder: string): Promise<Side> {
  const [{ facts, data }, { scores, report }] = await Promise.all([readEvaluation(folder), readScored(folder)])
  const fault = faultOf(data, scores, report)
  if (fault !== undefined) {
    throw new ColdstartError('E_CKPT_CORRUPT', `${join(folder, 'scores.jsonl')}: ${fault}`, { hint: scoreAgain })
  }
  return { folder, facts, report, data, verdicts: new Map(scores.map(({ id, correct }) => [id, correct])) }
}

/** Why scores are not those of the rows or of the report beside them. */
function faultOf(
  data: readonly DataLine[],
  scores: readonly ScoreLine[],
  { rows, unjudged }: EvaluationReport,
): string | undefined {
  if (scores.length !== data.length) return `${scores.length} rows, where data.jsonl has ${data.length}`
  const other = scores.findIndex(({ id }, index) => id !== data[index]?.id)
  if (other >= 0) return `row ${other + 1} is ${scores[other]?.id}, in data.jsonl ${data[other]?.id}`
  if (scores.length !== rows) return `${scores.length} rows, where report.json counts ${rows}`
  const without = scores.filter(({ correct }) => correct === null).length
  return without === unjudged ? undefined : `${without} rows without a verdict, where report.json counts ${unjudged}`
}

const scoreAgain = 'score the folder again, with its judge: coldstart eval score'

const isJudged = ({ verdicts }: Side, id: string): boolean => typeof verdicts.get(id) === 'boolean'

/** Which rows an endpoint failed on need not be chance: of a few the effect is small, of many nobody knows it. */
function refuseIncomplete({ folder, report: { incomplete, unjudged, rows } }: Side): void {
  if (!incomplete) return
  throw new ColdstartError('E_CONFIG', `${folder} is incomplete: ${unjudged} of ${rows} rows have no verdict`, {
    hint: `${scoreAgain}; or compare only the rows judged on both sides: --incomplete (incomplete: true)`,
  })
}

function refuseDifferent(a: Side, b: Side): void {
  const judged = ({ facts, report }: Side) => ({ ...facts, protocol: report.protocol, judge: report.judge })
  const fromFile = [a, b].some(({ facts }) => facts.answers.kind === 'responses')
  const changed = differences(judged(a), judged(b), ['in the first', 'in the second']).filter(
    (line) => !free.test(line) && !(fromFile && unknown.test(line)),
  )
  if (changed.length === 0) return
  // Another protocol has other options and prompts as a matter of course: it alone is worth telling.
  const protocol = changed.filter((line) => /^protocol\.(benchmark|preset):/.test(line))
  throw new ColdstartError(
    'E_CKPT_MISMATCH',
    `${a.folder} and ${b.folder} cannot be compared: ${(protocol.length > 0 ? protocol : changed).join('; ')}`,
    {
      hint: 'numbers of different protocols, judges or data differ by several points for no merit of a model',
    },
  )
}

function runOf({ folder, report }: Side): ComparedRun {
  const { answers, score, ci95, unjudged, incomplete } = report
  return { folder, answers: answers.path, score, ci95, unjudged, incomplete }
}

function discordant(
  data: readonly DataLine[],
  rightA: readonly boolean[],
  rightB: readonly boolean[],
): Comparison['breakdowns'] {
  const cells = new Map<string, Map<string, { n: number; onlyA: number; onlyB: number }>>()
  for (const [row, { groups }] of data.entries()) {
    for (const [name, value] of Object.entries(groups)) {
      const keys = cells.get(name) ?? new Map<string, { n: number; onlyA: number; onlyB: number }>()
      cells.set(name, keys)
      for (const key of new Set([value].flat())) {
        const cell = keys.get(key) ?? { n: 0, onlyA: 0, onlyB: 0 }
        keys.set(key, cell)
        cell.n += 1
        if (rightA[row] && !rightB[row]) cell.onlyA += 1
        if (!rightA[row] && rightB[row]) cell.onlyB += 1
      }
    }
  }
  const differing = ([, { onlyA, onlyB }]: [string, { onlyA: number; onlyB: number }]) => onlyA + onlyB > 0
  return Object.fromEntries(
    [...cells].map(([name, keys]) => [name, Object.fromEntries([...keys].filter(differing).sort(byKey))]),
  )
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
