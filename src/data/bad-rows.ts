/** Bad rows as an error, whenever they are found. */

import { ColdstartError, type ErrorCode } from '../errors.js'
import type { SkippedRow } from './types.js'

/** How many bad rows an error lists. */
export const maxListed = 20

/** The error for bad rows under `badRows: 'strict'`; it lists the first {@link maxListed}. */
export function badRowsError(bad: readonly SkippedRow[]): ColdstartError {
  const codes = new Set(bad.map((row) => row.code))
  // A single kind of fault keeps its own code.
  const code = codes.size === 1 ? (bad[0]!.code as ErrorCode) : 'E_DATA_ROW'
  const listed = bad.slice(0, maxListed)
  const lines = listed.map((row) => `  ${row.source}: ${row.message}`)
  const count =
    bad.length >= maxListed
      ? `the first ${maxListed} bad rows`
      : bad.length === 1
        ? '1 bad row'
        : `${bad.length} bad rows`
  return new ColdstartError(code, `${count}:\n${lines.join('\n')}`, {
    hint: "badRows: 'skip' leaves bad rows out and records them",
    details: { rows: listed },
  })
}
