/** We-Math's accuracies: of single steps, of two-step and three-step problems, and by domain of knowledge. */

import { kindOf } from '../../../data/images.js'
import { ColdstartError } from '../../../errors.js'
import { cellOf } from '../../breakdown.js'
import { pythonPercent } from '../../python-numbers.js'
import type { BenchmarkRow, Cell, ScoredRow } from '../../types.js'
import { isComposite, wemathFields } from './data.js'

const printed = (correct: number, n: number): string => pythonPercent(n === 0 ? 0 : correct / n, 2)

/** S1: all steps; S2, S3: the composite problems of two and three steps. */
export function stepAccuracies(rows: readonly ScoredRow[]): Record<'S1' | 'S2' | 'S3', Cell> {
  const cell = (test: (row: BenchmarkRow) => boolean): Cell => {
    const counted = rows.filter(({ row }) => test(row))
    return cellOf(counted.filter(({ scored }) => scored.correct === true).length, counted.length, printed)
  }
  return {
    S1: cell((row) => !isComposite(row)),
    S2: cell((row) => wemathFields(row).key === '2steps_multi'),
    S3: cell((row) => wemathFields(row).key === '3steps_multi'),
  }
}

/**
 * Scores by domain: the mean over a domain's leaves of the accuracy on the leaf's steps, beside the number of its steps and of right
 * ones. Leaves without steps, and steps whose row has no domain, are left out.
 */
export function domainScores(rows: readonly ScoredRow[]): Record<string, Cell> {
  const domains = new Map<string, Map<string, { n: number; correct: number }>>()
  for (const { row, scored } of rows) {
    const domain = row.groups.domain
    if (isComposite(row) || typeof domain !== 'string') continue
    const leaves = domains.get(domain) ?? new Map<string, { n: number; correct: number }>()
    domains.set(domain, leaves)
    const leaf = wemathFields(row)['knowledge concept']
    const { n, correct } = leaves.get(leaf) ?? { n: 0, correct: 0 }
    leaves.set(leaf, { n: n + 1, correct: correct + (scored.correct === true ? 1 : 0) })
  }
  const scores = [...domains].map(([domain, leaves]): [string, Cell] => {
    // In the order of the leaves' names: a sum of fractions must not depend on the order of the rows.
    const counts = [...leaves].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count)
    const total = (of: (count: { n: number; correct: number }) => number): number =>
      counts.reduce((sum, count) => sum + of(count), 0)
    const accuracy = total(({ n, correct }) => correct / n) / counts.length
    const [n, correct] = [total((count) => count.n), total((count) => count.correct)]
    return [domain, { n, correct, accuracy, text: pythonPercent(accuracy, 2) }]
  })
  return Object.fromEntries(scores.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * The rows with the domain of each step in `groups.domain`, so that reports have domain scores.
 *
 * @param nodes content of the benchmark's `knowledge_structure_nodes.json`: the last part of `full node` is a concept of the
 * rows, `root2` its domain.
 * @throws ColdstartError `E_DATA_FORMAT` for other content, `E_DATA_ROW` for a step whose concept is no node.
 */
export function withDomains(rows: readonly BenchmarkRow[], nodes: unknown): BenchmarkRow[] {
  const domains = domainsByLeaf(nodes)
  return rows.map((row) => {
    if (isComposite(row)) return row
    const leaf = wemathFields(row)['knowledge concept']
    const domain = domains.get(leaf)
    if (domain === undefined) {
      throw new ColdstartError('E_DATA_ROW', `${row.source}: no node for the concept ${JSON.stringify(leaf)}`)
    }
    return { ...row, groups: { ...row.groups, domain } }
  })
}

function domainsByLeaf(nodes: unknown): Map<string, string> {
  if (!Array.isArray(nodes)) {
    throw new ColdstartError('E_DATA_FORMAT', `knowledge structure: expected an array of nodes, got ${kindOf(nodes)}`)
  }
  return new Map(
    nodes.map((node: unknown, index): [string, string] => {
      const { root2, 'full node': path } = (node ?? {}) as Record<string, unknown>
      if (typeof root2 === 'string' && typeof path === 'string') return [path.slice(path.lastIndexOf('_') + 1), root2]
      throw new ColdstartError(
        'E_DATA_FORMAT',
        `knowledge structure, node ${index}: expected text root2 and "full node"`,
      )
    }),
  )
}
