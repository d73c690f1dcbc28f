/** `coldstart grade`: verdicts on answers that were collected earlier, or on the gold answers themselves. */

import { kindOf } from '../../data/images.js'
import { ColdstartError } from '../../errors.js'
import { wilson } from '../../eval/interval.js'
import { extractAnswer, extractBoxed } from '../../reward/boxed.js'
import { type GradeItem, gradeBatch, type Profile, type Verdict } from '../../reward/grade.js'
import { lintGolds } from '../../reward/lint.js'
import { percent } from '../format.js'
import type { Context } from '../program.js'
import { rowBatches } from '../row-batches.js'

/** Flags of the command. */
export interface GradeFlags {
  profile: Profile
  lint: boolean
}

/** Grades the answers of a file, or lints its gold answers. */
export async function gradeCommand(file: string, { profile, lint }: GradeFlags, context: Context): Promise<void> {
  await (lint ? lintFile(file, profile, context) : gradeFile(file, profile, context))
}

/** Says the verdict of each row and, at the end, how many were right and how that was found. */
async function gradeFile(file: string, profile: Profile, { output, signal }: Context): Promise<void> {
  const extract = profile === 'lenient' ? extractAnswer : extractBoxed
  const counts = new Map<string, { right: number; wrong: number }>()
  for await (const batch of rowBatches(file, (row) => answerOf(row, extract), signal)) {
    const verdicts = await gradeBatch(
      batch.map(({ value }) => value),
      { profile },
    )
    for (const [i, verdict] of verdicts.entries()) {
      const { source, value } = batch[i] as (typeof batch)[number]
      const { correct, path, ...how } = verdict
      const found = pathOf(verdict)
      const count = counts.get(found) ?? { right: 0, wrong: 0 }
      count[correct ? 'right' : 'wrong'] += 1
      counts.set(found, count)
      output.event({ correct, path, ...how, ...(value.isExtracted ? { extracted: value.given } : {}) })
      output.result(`${source}  ${correct ? 'right' : 'wrong'}  ${found}\n`)
    }
    await output.taken()
  }
  const summary = summaryOf(counts, profile)
  if (output.json) output.say(summary.trimEnd())
  else output.result(`\n${summary}`)
}

/** Says what is wrong with each gold answer; throws `E_DATA_ROW` when there was anything to say. */
async function lintFile(file: string, profile: Profile, { output, signal }: Context): Promise<void> {
  let rows = 0
  let faults = 0
  for await (const batch of rowBatches(file, goldOf, signal)) {
    const findings = await lintGolds(
      batch.map(({ value }) => value),
      { profile },
    )
    rows += batch.length
    faults += findings.length
    for (const { index, gold, fault, message, suggestion } of findings) {
      const source = batch[index]?.source
      output.event({ source, gold, fault, message, suggestion })
      const better = suggestion === undefined ? '' : `; better ${JSON.stringify(suggestion)}`
      output.result(`${source}: ${message}${gold === null ? '' : ` (${shortened(JSON.stringify(gold))}${better})`}\n`)
    }
    await output.taken()
  }
  if (faults > 0) {
    const are = faults === 1 ? 'is' : 'are'
    throw new ColdstartError('E_DATA_ROW', `${faults} of ${goldAnswers(rows)} ${are} at fault under ${profile}`, {
      hint: 'mend them where the data is made',
    })
  }
  output.result(`${goldAnswers(rows)}, none at fault under ${profile}\n`)
}

const goldAnswers = (n: number): string => `${n} gold answer${n === 1 ? '' : 's'}`

/** Enough of a long answer to know it by. */
const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

type Columns = Readonly<Record<string, unknown>>

function answerOf(
  row: Columns,
  extract: typeof extractBoxed,
): { value: GradeItem & { isExtracted: boolean }; size: number } {
  const gold = text(row, 'gold')
  if ('pred' in row === 'response' in row) {
    throw new ColdstartError(
      'E_DATA_ROW',
      `expected either pred or response, got ${'pred' in row ? 'both' : 'neither'}`,
    )
  }
  const isExtracted = 'response' in row
  const given = isExtracted ? extract(text(row, 'response')) : row.pred === null ? null : text(row, 'pred')
  return { value: { given, gold, isExtracted }, size: gold.length + (given?.length ?? 0) }
}

function goldOf(row: Columns): { value: string | null; size: number } {
  const name = ['gold', 'answer', 'solution'].find((column) => row[column] !== undefined && row[column] !== null)
  const gold = name === undefined ? null : text(row, name)
  return { value: gold, size: gold?.length ?? 0 }
}

function text(row: Columns, name: string): string {
  const value = row[name]
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw new ColdstartError('E_DATA_ROW', `${name}: expected a string or a number, got ${kindOf(value)}`)
}

/** The path of a verdict; a refusal with the limit that was reached. */
const pathOf = ({ path, reason }: Verdict): string => (reason === undefined ? path : `${path}: ${reason}`)

/** Paths in the order in which they are tried. */
const order = ['string', 'normalised', 'exact', 'numeric', 'unequal', 'none']

function summaryOf(counts: ReadonlyMap<string, { right: number; wrong: number }>, profile: Profile): string {
  const rank = (path: string): number => (order.includes(path) ? order.indexOf(path) : order.length)
  const sorted = [...counts].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
  const right = sorted.reduce((sum, [, count]) => sum + count.right, 0)
  const n = sorted.reduce((sum, [, count]) => sum + count.right + count.wrong, 0)
  const [low, high] = wilson(right, n)
  return [
    `accuracy ${percent(right / n)} (95 % interval ${percent(low)} to ${percent(high)}): ${right} of ${n} right under ${profile}\n`,
    `  ${'path'.padEnd(20)} ${'right'.padStart(8)} ${'wrong'.padStart(8)}\n`,
    ...sorted.map(
      ([path, { right, wrong }]) => `  ${path.padEnd(20)} ${String(right).padStart(8)} ${String(wrong).padStart(8)}\n`,
    ),
  ].join('')
}
