/** Published answers that look damaged. They are scored as they are; a report says which rows they belong to. */

import { pythonStrip } from '../python-text.js'
import type { ScoredRow } from '../types.js'

const checks: readonly [note: string, damaged: (gold: string) => boolean][] = [
  ['control character', (gold) => /[\p{Cc}]/u.test(gold.replace(/[\t\n]/g, ''))],
  // A degree sign read in a wrong encoding becomes one of these.
  ['broken character', (gold) => /[\u63b3\ufffd\u00c2]/.test(gold)],
  ['box inside', (gold) => gold.includes('\\boxed')],
  ['dollar sign', (gold) => gold.includes('$')],
  ['white space around', (gold) => gold !== '' && pythonStrip(gold) !== gold],
]

/** What is suspicious about a gold answer. */
function goldNotes(gold: string): string[] {
  return checks.filter(([, damaged]) => damaged(gold)).map(([note]) => note)
}

/** Ids of rows by what is suspicious about their gold answers, ids sorted. */
export function notedGolds(rows: readonly ScoredRow[]): Record<string, string[]> {
  const noted = checks.map(([note]): [string, string[]] => [
    note,
    rows
      .filter(({ row }) => goldNotes(row.gold).includes(note))
      .map(({ row }) => row.id)
      .sort(),
  ])
  return Object.fromEntries(noted.filter(([, ids]) => ids.length > 0))
}
