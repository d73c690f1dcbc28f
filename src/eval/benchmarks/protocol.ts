/** What the protocols of all benchmarks share: rows without an answer, and the plain report. */

import { breakdownsOf, type CellText, countCorrect } from '../breakdown.js'
import type { Protocol, ScoredRow, Summary } from '../types.js'
import { notedGolds } from './gold-notes.js'
import { unjudged } from './judging.js'

/** The protocol, with rows that have no published answer left unjudged. */
export function defineProtocol(protocol: Protocol): Protocol {
  return {
    ...protocol,
    async score(row, response, scoring) {
      scoring.signal?.throwIfAborted()
      return row.gold === '' ? unjudged(null, 0, 'no-gold') : protocol.score(row, response, scoring)
    },
  }
}

/** Accuracy over all rows and by each of their groups; in `extra` the official text of it and the golds that look damaged. */
export function accuracySummary(rows: readonly ScoredRow[], text: CellText): Summary {
  const correct = countCorrect(rows)
  const n = rows.length
  return {
    score: n === 0 ? 0 : correct / n,
    metric: 'accuracy',
    n,
    correct,
    breakdowns: breakdownsOf(rows, text),
    extra: { printed: text(correct, n), ...goldsOf(rows) },
  }
}

/** The golds that look damaged, where there are any. */
export function goldsOf(rows: readonly ScoredRow[]): { suspiciousGolds?: Record<string, string[]> } {
  const suspiciousGolds = notedGolds(rows)
  return Object.keys(suspiciousGolds).length === 0 ? {} : { suspiciousGolds }
}
