/** A split of a benchmark, read and checked: every row is known, and none of its images has been decoded. */

import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { closest } from '../../config/suggest.js'
import { Fingerprint } from '../../data/fingerprint.js'
import { readIfPresent } from '../../data/optional-file.js'
import { PathResolver } from '../../data/paths.js'
import { ColdstartError } from '../../errors.js'
import type { Benchmark, BenchmarkRow, RawRecord, SplitSpec } from '../types.js'
import { readJsonRecords } from './json.js'
import { locateSplit, type SplitFiles } from './locate.js'
import { readParquet } from './parquet.js'

/** Where the rows are. */
export interface ReadSplitOptions {
  /** A file, or a folder in a published layout. */
  path: string
  /** Default: the benchmark's first. */
  split?: string | undefined
  /** Folder of image paths. Default: the folder of the data. */
  imageRoot?: string | undefined
  /** Take a part of the split: without it another number of rows than published is an error. */
  partial?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** A split in memory, images left out. */
export interface SplitData {
  split: string
  spec: SplitSpec
  rows: BenchmarkRow[]
  /** SHA-256 over ids, golds and columns of all rows. */
  fingerprint: string
  /** Commit of the download, where the path tells it. */
  revision: string | null
}

/**
 * Reads all rows and checks columns, number and ids.
 *
 * @throws ColdstartError `E_CONFIG` for a split that the benchmark does not have; `E_PATH`, `E_DATA_FORMAT` or
 * `E_DATA_ROW` naming file and row. Rejects with the signal's reason when aborted.
 */
export async function readSplit(benchmark: Benchmark, options: ReadSplitOptions): Promise<SplitData> {
  const { path, signal } = options
  const { split, spec } = splitOf(benchmark, options.split)
  const located = await locateSplit(path, spec.file ?? split)
  const paths = new PathResolver(options.imageRoot ?? located.root, false)
  const records: RawRecord[] = []
  for (const file of located.files) {
    signal?.throwIfAborted()
    const { format } = located
    const more =
      format === 'parquet'
        ? await readParquet(file, spec.images, paths, signal)
        : await readJsonRecords(file, format, spec.images, paths, signal)
    for (const record of more) records.push(record)
  }
  for (const record of records) checkColumns(record, spec)
  if (records.length === 0) throw new ColdstartError('E_DATA_FORMAT', `${path}: no rows`)
  if (records.length !== spec.rows && options.partial !== true) {
    throw new ColdstartError(
      'E_DATA_FORMAT',
      `${path}: ${records.length} rows; split ${split} of ${benchmark.name} has ${spec.rows}`,
      { hint: 'give the file of that split, or say that it is a part of it: --partial (partial: true)' },
    )
  }
  const read = benchmark.read(records, split)
  if (read.length !== records.length) {
    throw new ColdstartError('E_DATA_FORMAT', `${path}: ${read.length} rows made of ${records.length} records`)
  }
  const rows = await withCompanion(benchmark, read, located)
  return { split, spec, rows, fingerprint: fingerprintOf(rows), revision: await revisionOf(path) }
}

async function withCompanion(benchmark: Benchmark, rows: BenchmarkRow[], located: SplitFiles): Promise<BenchmarkRow[]> {
  const { companion } = benchmark
  if (companion === undefined) return rows
  const folders = new Set([located.root, ...located.files.map((file) => dirname(file))])
  for (const folder of folders) {
    const content = await jsonIn(join(folder, companion.file))
    if (content !== undefined) return companion.add(rows, content)
  }
  return rows
}

/** The content of a JSON file, undefined where there is none. */
async function jsonIn(file: string): Promise<unknown> {
  const bytes = await readIfPresent(file)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ColdstartError('E_DATA_FORMAT', `${file}: ${(cause as Error).message}`, { cause })
  }
}

function splitOf(benchmark: Benchmark, name: string | undefined): { split: string; spec: SplitSpec } {
  const names = Object.keys(benchmark.splits)
  const split = name ?? names[0] ?? ''
  const spec = Object.hasOwn(benchmark.splits, split) ? benchmark.splits[split] : undefined
  if (spec !== undefined) return { split, spec }
  const near = closest(split, names)
  throw new ColdstartError('E_CONFIG', `${benchmark.name} has no split ${JSON.stringify(split)}`, {
    hint: near === undefined ? `it has ${names.join(', ')}` : `did you mean ${near}?`,
  })
}

function checkColumns({ source, values }: RawRecord, spec: SplitSpec): void {
  const missing = spec.columns.filter((name) => !Object.hasOwn(values, name))
  const hasImages = spec.images.length === 0 || spec.images.some((name) => Object.hasOwn(values, name))
  if (missing.length === 0 && hasImages) return
  const lacking = missing.length > 0 ? missing.join(', ') : spec.images.join(' or ')
  throw new ColdstartError(
    'E_DATA_FORMAT',
    `${source}: no column ${lacking} (it has ${Object.keys(values).join(', ')})`,
  )
}

/** Checks that ids are unique on the way. */
function fingerprintOf(rows: readonly BenchmarkRow[]): string {
  const fingerprint = new Fingerprint()
  const seen = new Map<string, string>()
  for (const { id, gold, fields, source } of rows) {
    const earlier = seen.get(id)
    if (earlier !== undefined) {
      throw new ColdstartError('E_DATA_ROW', `${source}: the id ${JSON.stringify(id)} is that of ${earlier} too`)
    }
    seen.set(id, source)
    fingerprint.value({ id, gold, fields })
  }
  return fingerprint.digest()
}

/** The hub's cache keeps each commit in `snapshots/<commit>`. */
async function revisionOf(path: string): Promise<string | null> {
  const [, commit] = /[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]|$)/.exec(`${path}`) ?? []
  if (commit !== undefined) return commit
  return /[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]|$)/.exec(await realpath(path))?.[1] ?? null
}
