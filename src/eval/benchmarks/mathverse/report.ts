/** MathVerse's report: the five versions with a picture together, text alone apart. */

import { breakdownByGroup, countCorrect } from '../../breakdown.js'
import { pythonFixed } from '../../python-numbers.js'
import type { ScoredRow, Summary } from '../../types.js'
import { goldsOf } from '../protocol.js'
import { textOnly } from './data.js'

const printed = (correct: number, n: number): string => pythonFixed(n === 0 ? 0 : correct / n, 3)

export function summarizeMathVerse(rows: readonly ScoredRow[]): Summary {
  const pictured = rows.filter(({ row }) => row.groups.version !== textOnly)
  // A run of the text-only split has a headline too, under another name.
  const counted = pictured.length === 0 ? rows : pictured
  const correct = countCorrect(counted)
  const n = counted.length
  return {
    score: n === 0 ? 0 : correct / n,
    metric: pictured.length === 0 ? 'accuracy, Text Only' : 'accuracy',
    n,
    correct,
    breakdowns: {
      version: breakdownByGroup(rows, 'version', printed),
      subject: breakdownByGroup(counted, 'subject', printed),
      subfield: breakdownByGroup(counted, 'subfield', printed),
    },
    extra: { printed: printed(correct, n), ...goldsOf(rows) },
  }
}
