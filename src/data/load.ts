/** Reading a data set: records become rows, bad ones are listed or left out. */

import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { checked } from '../config/check.js'
import { closest } from '../config/suggest.js'
import { ColdstartError } from '../errors.js'
import { badRowsError, maxListed } from './bad-rows.js'
import { Dataset } from './dataset.js'
import { Fingerprint } from './fingerprint.js'
import { kindOf } from './images.js'
import { PathResolver } from './paths.js'
import { readRecords } from './records.js'
import { type Columns, sampleOf, standardColumns } from './shapes.js'
import type { DatasetLike, LoadDatasetOptions, Row, SkippedRow } from './types.js'

/** Rows between two turns of the event loop, so that signals and timers are served while a large file is read. */
const rowsPerTurn = 256

const optionsSchema = z.strictObject({
  imageRoot: z.string().optional(),
  allowPaths: z.boolean().optional(),
  columns: z.record(z.string(), z.string()).optional(),
  badRows: z.enum(['strict', 'skip']).optional(),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
} satisfies Record<keyof LoadDatasetOptions, z.ZodType>)

/**
 * Reads a data set into memory, with every row checked and brought to one form. Six shapes are recognised by their
 * columns: `messages`, `conversations`, `problem`, `query`, `prompt` and `instruction`. Images are found, not decoded.
 *
 * ```ts
 * const dataset = await loadDataset([{ problem: '<image>What is the sum?', answer: '17', images: [pngBytes] }])
 * ```
 *
 * @throws ColdstartError `E_PATH` for a file or image that cannot be found or lies outside the image root,
 * `E_DATA_FORMAT` for a file that is no JSON, `E_DATA_ROW` for bad rows (each with its file and line),
 * `E_CONFIG` for an option or a name in `columns` that does not exist, `E_USAGE` for what is no data set. Rejects with the signal's reason when aborted.
 */
export async function loadDataset(source: DatasetLike, options: LoadDatasetOptions = {}): Promise<Dataset> {
  const { columns = {}, badRows = 'strict', signal } = checked(optionsSchema, options, 'options', 'E_CONFIG')
  checkSource(source)
  signal?.throwIfAborted()
  checkColumns(columns)
  const root = options.imageRoot ?? (typeof source === 'string' ? dirname(source) : '.')
  const paths = new PathResolver(root, options.allowPaths ?? false)
  const fingerprint = new Fingerprint()
  const rows: Row[] = []
  const bad: SkippedRow[] = []
  const ids = new Map<string, number>()

  let index = 0
  for await (const { source: name, record } of readRecords(source, fingerprint, signal)) {
    try {
      if (record instanceof ColdstartError) throw record
      const { id = String(index), ...sample } = sampleOf(standardized(record, columns), paths)
      rows.push({ ...sample, id: unique(id, ids), source: name })
    } catch (error) {
      if (!(error instanceof ColdstartError)) throw error
      const advice = error.hint === undefined ? '' : ` (${error.hint})`
      bad.push({ source: name, code: error.code, message: error.message + advice })
      if (badRows === 'strict' && bad.length === maxListed) break
    }
    index += 1
    if (index % rowsPerTurn === 0) {
      await nextTurn()
      signal?.throwIfAborted()
    }
  }

  if (badRows === 'strict' && bad.length > 0) throw badRowsError(bad)
  const what = typeof source === 'string' ? source : 'the data set'
  if (rows.length === 0) {
    const skipped =
      bad.length === 0 ? '' : `; all ${bad.length} are bad, the first: ${bad[0]!.source}: ${bad[0]!.message}`
    throw new ColdstartError('E_DATA_FORMAT', `${what} has no rows${skipped}`)
  }
  fingerprint.value({ columns, badRows })
  return new Dataset(rows, fingerprint.digest(), bad, badRows)
}

function checkSource(source: unknown): void {
  const isIterable = typeof source === 'object' && source !== null
  if (typeof source === 'string' || (isIterable && (Symbol.iterator in source || Symbol.asyncIterator in source)))
    return
  throw new ColdstartError('E_USAGE', `expected the path of a data set or an iterable of rows, got ${kindOf(source)}`)
}

function checkColumns(columns: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(columns)) {
    if (standardColumns.includes(name)) continue
    const near = closest(name, standardColumns)
    throw new ColdstartError('E_CONFIG', `columns: unknown column ${JSON.stringify(name)}`, {
      hint: near === undefined ? `known: ${standardColumns.join(', ')}` : `did you mean ${JSON.stringify(near)}?`,
    })
  }
}

/** The record with its columns under their standard names. A mapped name replaces a column that has it already. */
function standardized(record: Readonly<Record<string, unknown>>, columns: Readonly<Record<string, string>>): Columns {
  const mapped = Object.entries(columns)
  if (mapped.length === 0) return new Map(Object.entries(record))
  const taken = new Set([...mapped.map(([standard]) => standard), ...mapped.map(([, actual]) => actual)])
  const result: Columns = new Map(Object.entries(record).filter(([name]) => !taken.has(name)))
  for (const [standard, actual] of mapped) {
    if (!Object.hasOwn(record, actual)) {
      throw new ColdstartError('E_DATA_ROW', `no column ${JSON.stringify(actual)} (mapped to ${standard})`)
    }
    result.set(standard, record[actual])
  }
  return result
}

function unique(id: string, seen: Map<string, number>): string {
  const count = (seen.get(id) ?? 0) + 1
  seen.set(id, count)
  return count === 1 ? id : unique(`${id}#${count}`, seen)
}

/** The dataset itself, or the one behind a path, an array or an iterable; never an empty one. */
export async function asDataset(source: DatasetLike | Dataset): Promise<Dataset> {
  const dataset = source instanceof Dataset ? source : await loadDataset(source)
  if (dataset.length === 0) throw new ColdstartError('E_DATA_FORMAT', 'the data set has no rows')
  return dataset
}
