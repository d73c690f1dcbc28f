/** We-Math's report: the strict score as the headline, or plain accuracy where the paper has that. */

import { pythonPercent } from '../../python-numbers.js'
import type { ScoredRow, Summary } from '../../types.js'
import { accuracySummary } from '../protocol.js'
import { domainScores, stepAccuracies } from './accuracy.js'
import { wemathFields } from './data.js'
import { type Composite, fourDimensional, printedMetrics } from './metrics.js'

/** Plain accuracy over all rows. */
export function summarizeAccuracy(rows: readonly ScoredRow[]): Summary {
  const summary = accuracySummary(rows, (correct, n) => pythonPercent(n === 0 ? 0 : correct / n, 2))
  const domain = domainScores(rows)
  const metrics = fourDimensional(compositesOf(rows))
  return {
    ...summary,
    breakdowns: {
      ...summary.breakdowns,
      ...(Object.keys(domain).length === 0 ? {} : { domain }),
      accuracy: stepAccuracies(rows),
    },
    extra: {
      ...summary.extra,
      fourDimensional: { ...metrics, printed: printedMetrics(metrics) },
    },
  }
}

/** The strict score over composite problems; plain accuracy for a part of the data that has no complete one. */
export function summarizeStrict(rows: readonly ScoredRow[]): Summary {
  const summary = summarizeAccuracy(rows)
  const { composites, strict } = fourDimensional(compositesOf(rows))
  if (composites === 0) return summary
  const headline = { score: strict.score, n: composites, correct: strict.CM, metric: 'strict score' }
  return { ...summary, ...headline, extra: { ...summary.extra, printed: pythonPercent(strict.score, 2) } }
}

/** The composite problems whose rows are all there. */
function compositesOf(rows: readonly ScoredRow[]): Composite[] {
  const families = new Map<string, Map<string, boolean | null>>()
  for (const { row, scored, response } of rows) {
    const { ID, key } = wemathFields(row)
    const steps = key[0]!
    const family = families.get(`${ID}/${steps}`) ?? new Map<string, boolean | null>([['steps', null]])
    families.set(`${ID}/${steps}`, family)
    family.set(key, response === null ? null : scored.correct === true)
  }
  return [...families].flatMap(([name, family]): Composite[] => {
    const count = name.at(-1)!
    const names = Array.from({ length: Number(count) }, (_, index) => `${count}steps_${index + 1}`)
    const multi = family.get(`${count}steps_multi`)
    const steps = names.map((step) => family.get(step))
    return multi === undefined || steps.includes(undefined) ? [] : [{ steps: steps as (boolean | null)[], multi }]
  })
}
