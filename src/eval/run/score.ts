/** From stored responses to verdicts. Nothing is generated, and nothing is written. */

import { setMaxListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BenchmarkRow, JudgeChoice, Protocol, ProtocolOptions, Scored, ScoredRow } from '../types.js'
import type { DataLine, ResponseLine } from './types.js'

/** Rows scored together: more than a judge takes at a time, so that it never waits for a question. */
const together = 32

/** Rows between two turns of the event loop: rules alone never wait, and a signal must be seen. */
const rowsPerTurn = 64

/** What scoring needs besides rows and responses. */
export interface ScoreRowsOptions {
  judge: JudgeChoice
  options: Readonly<ProtocolOptions>
  signal?: AbortSignal | undefined
  onProgress?: (done: number, total: number) => void
}

/** The row of a line of `data.jsonl`. */
export function rowOf(line: DataLine): BenchmarkRow {
  return { ...line, images: [] }
}

/**
 * Scores every row, in order; a row without a response is wrong. The first error ends it, after the rows under way; an abort at once,
 * and the judge that was asked keeps what is under way (see `OpenAiJudge.close`).
 *
 * @throws what the protocol or its judge throws (`E_JUDGE` where no question will be answered); the signal's reason.
 */
export async function scoreRows(
  protocol: Protocol,
  rows: readonly BenchmarkRow[],
  responses: ReadonlyMap<string, ResponseLine>,
  { judge, options, signal, onProgress }: ScoreRowsOptions,
): Promise<ScoredRow[]> {
  const results: ScoredRow[] = new Array(rows.length)
  const queue = rows.entries()
  // Of our own, because every question under way listens to it: many listeners are no leak here.
  const abort = AbortSignal.any(signal === undefined ? [] : [signal])
  setMaxListeners(0, abort)
  let done = 0
  let failed = false
  const work = async (): Promise<void> => {
    for (const [index, row] of queue) {
      // After an error nothing new begins, but a reply under way is paid for: it is waited for and stored.
      if (failed) return
      abort.throwIfAborted()
      const response = responses.get(row.id)?.response ?? null
      const scored =
        response === null ? missing : await protocol.score(row, response, { judge, options, signal: abort })
      results[index] = { row, scored, response }
      done += 1
      onProgress?.(done, rows.length)
      if (done % rowsPerTurn === 0) await nextTurn()
    }
  }
  const errors: unknown[] = []
  const guarded = (): Promise<void> =>
    work().catch((error: unknown) => {
      failed = true
      errors.push(error)
    })
  await Promise.all(Array.from({ length: together }, guarded))
  if (errors.length > 0) throw errors[0]
  return results
}

const missing: Scored = { extraction: null, correct: false, path: 'missing', calls: 0 }
