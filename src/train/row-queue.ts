// The rows of the coming steps: in seeded order, encoded, those that cannot be used left out and counted where the run allows it.
import type { Dataset } from '../data/dataset.js'
import type { Row, SkippedRow } from '../data/types.js'
import { ColdstartError, type ErrorCode } from '../errors.js'
import type { EncodedPrompt } from '../processor/processor.js'
import { RowOrder } from './order.js'

export interface EncodedRow {
  row: Row
  prompt: EncodedPrompt
}

/** Where the queue stands: rows visited and rows left out. */
export interface QueuePosition {
  cursor: number
  skipped: number
}

/** How rows are encoded, and which faults leave one out instead of ending the run. */
export interface Encoding {
  encode: (row: Row) => Promise<EncodedPrompt>
  leavesOut: (code: ErrorCode) => boolean
}

/**
 * Faults that lie in the row itself and are found when it is encoded. A file that cannot be read is none of them: it may be there
 * again in a moment, and a run that leaves rows out by chance cannot be repeated.
 */
const rowFaults: ReadonlySet<ErrorCode> = new Set([
  'E_DATA_ROW',
  'E_IMAGE_FORMAT',
  'E_IMAGE_DECODE',
  'E_IMAGE_LIMIT',
  'E_IMAGE_MODE',
  'E_TOKEN_COUNT',
  'E_TOO_LONG',
])

/** Encodes the rows of a data set by its own policy for bad ones; faults of code `always` leave a row out under any policy. */
export function encodingOf(dataset: Dataset, encode: Encoding['encode'], always?: ErrorCode): Encoding {
  return { encode, leavesOut: (code) => code === always || (dataset.badRows === 'skip' && rowFaults.has(code)) }
}

/** Encodes rows, in order; the faults of those that are left out stand apart. */
async function encodeRows(
  rows: readonly Row[],
  { encode, leavesOut }: Encoding,
): Promise<{ encoded: EncodedRow[]; skipped: SkippedRow[] }> {
  const encoded: EncodedRow[] = []
  const skipped: SkippedRow[] = []
  const results = await Promise.allSettled(rows.map(encode))
  for (const [i, result] of results.entries()) {
    const row = rows[i] as Row
    if (result.status === 'fulfilled') encoded.push({ row, prompt: result.value })
    else if (result.reason instanceof ColdstartError && leavesOut(result.reason.code)) {
      skipped.push({ source: row.source, code: result.reason.code, message: result.reason.message })
    } else throw result.reason
  }
  return { encoded, skipped }
}

/** All rows of an evaluation in batches. Throws when none of them can be used. */
export async function* evaluationBatches(
  dataset: Dataset,
  size: number,
  encoding: Encoding,
): AsyncGenerator<{ encoded: EncodedRow[]; skipped: number }> {
  const all: SkippedRow[] = []
  for (let first = 0; first < dataset.length; first += size) {
    const count = Math.min(size, dataset.length - first)
    const rows = Array.from({ length: count }, (_, i) => dataset.row(first + i))
    const { encoded, skipped } = await encodeRows(rows, encoding)
    all.push(...skipped)
    if (all.length === dataset.length) throw nothingLeft('evaluate on', all)
    yield { encoded, skipped: skipped.length }
  }
}

export class RowQueue {
  readonly #dataset: Dataset
  readonly #encoding: Encoding
  readonly #order: RowOrder
  readonly #told = new Set<string>()
  #skipped = 0
  #news: SkippedRow[] = []
  #committed: QueuePosition = { cursor: 0, skipped: 0 }

  constructor(dataset: Dataset, seed: number, encoding: Encoding) {
    this.#dataset = dataset
    this.#encoding = encoding
    this.#order = new RowOrder(dataset.length, seed)
  }

  /** The next `count` rows. Throws when a whole pass over the data finds none that can be used. */
  async take(count: number): Promise<EncodedRow[]> {
    const taken: EncodedRow[] = []
    const rejected: SkippedRow[] = []
    while (taken.length < count) {
      const batch = Array.from({ length: count - taken.length }, () => this.#dataset.row(this.#order.next()))
      const { encoded, skipped } = await encodeRows(batch, this.#encoding)
      taken.push(...encoded)
      rejected.push(...skipped)
      this.#skipped += skipped.length
      if (taken.length === 0 && rejected.length >= this.#dataset.length) throw nothingLeft('train on', rejected)
    }
    this.#news.push(...rejected.filter(({ source }) => !this.#told.has(source)))
    for (const { source } of rejected) this.#told.add(source)
    return taken
  }

  /** After the rows taken so far. */
  get position(): QueuePosition {
    return { cursor: this.#order.cursor, skipped: this.#skipped }
  }

  /** Rows left out up to the committed position, each time that its turn came. */
  get skipped(): number {
    return this.#committed.skipped
  }

  get epoch(): number {
    return this.#committed.cursor / this.#dataset.length
  }

  /** Marks rows as trained on: a resumed run goes on behind them. */
  commit(position: QueuePosition): void {
    this.#committed = position
  }

  get committed(): QueuePosition {
    return this.#committed
  }

  restore(position: QueuePosition): void {
    this.#committed = position
    this.#order.cursor = position.cursor
    this.#skipped = position.skipped
  }

  /** A warning for the rows left out since the last call, each told once; none for those that are merely too long. */
  warnings(): { code: string; message: string }[] {
    const bad = this.#news.filter(({ code }) => code !== 'E_TOO_LONG')
    this.#news = []
    const [first] = bad
    return first === undefined ? [] : [{ code: first.code, message: leftOut(bad) }]
  }
}

/** Rows that were left out, as a sentence that names the first. */
export function leftOut(rows: readonly SkippedRow[]): string {
  const count = rows.length === 1 ? '1 bad row' : `${rows.length} bad rows`
  const first = rows[0] as SkippedRow
  // Messages of the processor begin with the row's name.
  const what = first.message.startsWith(first.source) ? first.message : `${first.source}: ${first.message}`
  return `${count} left out, the first ${what}`
}

function nothingLeft(purpose: string, rejected: readonly SkippedRow[]): ColdstartError {
  const code = rejected.every((row) => row.code === 'E_TOO_LONG') ? 'E_TOO_LONG' : 'E_DATA_ROW'
  return new ColdstartError(code, `no row is left to ${purpose}: ${leftOut(rejected)}`, {
    hint: code === 'E_TOO_LONG' ? 'raise the length limit or lower maxPixels' : undefined,
  })
}
