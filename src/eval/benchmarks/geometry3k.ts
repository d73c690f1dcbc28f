/** Geometry3K: what reinforcement learning on geometry is validated on while it runs, with its own reward. */

import { extractBoxed } from '../../reward/boxed.js'
import { grade } from '../../reward/grade.js'
import { paper } from '../presets.js'
import { pythonPercent } from '../python-numbers.js'
import type { Benchmark, BenchmarkRow, RawRecord, SplitSpec } from '../types.js'
import { fieldsOf, idColumn, imageColumns, textColumn } from './columns.js'
import { accuracySummary, defineProtocol } from './protocol.js'

const images = ['images', 'image']
const columns = ['problem', 'answer']

const splits = {
  test: { rows: 601, columns, images },
  validation: { rows: 300, columns, images },
  train: { rows: 2101, columns, images },
} as const satisfies Record<string, SplitSpec>

function read(records: readonly RawRecord[]): BenchmarkRow[] {
  return records.map((record, index) => ({
    // Older revisions have no ids; the order of the rows is published.
    id: record.values.id === undefined || record.values.id === null ? String(index) : idColumn(record, 'id'),
    source: record.source,
    images: imageColumns(record, images),
    gold: textColumn(record, 'answer'),
    groups: {},
    fields: { ...fieldsOf(record, images), problem: textColumn(record, 'problem') },
  }))
}

/** As in training: the question alone, and the reward's verdict on the boxed answer. */
const paperProtocol = defineProtocol({
  benchmark: 'geometry3k',
  preset: paper.preset,
  version: '1',
  sampling: { temperature: 0.5, maxNewTokens: 2048 },
  options: { suffix: '' },
  judge: 'never',
  prompt: (row, options) => ({
    text: String(row.fields.problem).replaceAll('<image>', '') + (options.suffix ?? ''),
    images: row.images,
  }),
  async score(row, response) {
    const extraction = extractBoxed(response)
    return { extraction, correct: grade(extraction, row.gold).correct, path: 'rule:mathruler', calls: 0 }
  },
  summarize: (rows) => accuracySummary(rows, (correct, n) => pythonPercent(n === 0 ? 0 : correct / n, 2)),
})

export const geometry3k: Benchmark = { name: 'geometry3k', splits, read, protocols: { paper: paperProtocol } }
