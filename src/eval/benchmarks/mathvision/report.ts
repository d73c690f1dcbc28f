/** MATH-Vision's report: the authors' table of `hits/total=percent%`. */

import { breakdownBy, countCorrect } from '../../breakdown.js'
import { pythonRepr, pythonRound } from '../../python-numbers.js'
import type { BenchmarkRow, ScoredRow, Summary } from '../../types.js'
import { accuracySummary } from '../protocol.js'

/** As Python prints the rounded percentage: `50.0%`, `33.33%`. */
function printed(correct: number, n: number): string {
  return `${correct}/${n}=${n === 0 ? '0' : `${pythonRepr(pythonRound((correct / n) * 100, 2))}%`}`
}

/** The keys of the table that a row counts under. */
function tableKeys({ groups }: BenchmarkRow): string[] {
  const { level, subject } = groups as { level: string; subject: string }
  return ['-all', `-level${level}`, subject, `${subject}_level${level}`, `-level${level}_${subject}`]
}

export function summarizeMathVision(rows: readonly ScoredRow[]): Summary {
  const summary = accuracySummary(rows, printed)
  const table = Object.entries(breakdownBy(rows, tableKeys, printed)).map(([key, { text }]) => [key, text])
  return {
    ...summary,
    extra: { ...summary.extra, printed: printed(countCorrect(rows), rows.length), table: Object.fromEntries(table) },
  }
}
