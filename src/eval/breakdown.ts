/** Shares of right answers, over all rows and by key. */

import type { BenchmarkRow, Cell, ScoredRow } from './types.js'

/** How an official script prints a share. */
export type CellText = (correct: number, n: number) => string

/** A cell of `correct` right ones of `n`; 0 of 0 is 0. */
export function cellOf(correct: number, n: number, text?: CellText): Cell {
  const cell: Cell = { n, correct, accuracy: n === 0 ? 0 : correct / n }
  if (text !== undefined) cell.text = text(correct, n)
  return cell
}

/** Whether a number is the share that its counts say: a score by other rules must not stand beside them. */
export function isShare(value: number, correct: number, n: number): boolean {
  return Math.abs(value * n - correct) < 1e-6
}

/** Rows that are right; unjudged ones are not. */
export function countCorrect(rows: readonly ScoredRow[]): number {
  return rows.filter(({ scored }) => scored.correct === true).length
}

/** Cells by key, keys in the order of their code units so that the order of rows does not show. */
export function breakdownBy(
  rows: readonly ScoredRow[],
  keysOf: (row: BenchmarkRow) => readonly string[],
  text?: CellText,
): Record<string, Cell> {
  const counts = new Map<string, { n: number; correct: number }>()
  for (const { row, scored } of rows) {
    // A row counts once under a key, however often its data repeat it.
    for (const key of new Set(keysOf(row))) {
      const count = counts.get(key) ?? { n: 0, correct: 0 }
      count.n += 1
      if (scored.correct === true) count.correct += 1
      counts.set(key, count)
    }
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([key, { n, correct }]) => [key, cellOf(correct, n, text)]))
}

/** Cells by the values of one of a row's groups. */
export function breakdownByGroup(rows: readonly ScoredRow[], group: string, text?: CellText): Record<string, Cell> {
  return breakdownBy(rows, ({ groups }) => groupValues(groups[group]), text)
}

/** One cell table for each group that a row has. */
export function breakdownsOf(rows: readonly ScoredRow[], text?: CellText): Record<string, Record<string, Cell>> {
  const names = new Set(rows.flatMap(({ row }) => Object.keys(row.groups)))
  return Object.fromEntries([...names].sort().map((name) => [name, breakdownByGroup(rows, name, text)]))
}

/** The values of a group: none, one or several. */
function groupValues(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}
