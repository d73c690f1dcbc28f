/** Rows in memory. Images stay paths or encoded bytes: they are decoded when a batch needs them. */

import { ColdstartError } from '../errors.js'
import { badRowsError } from './bad-rows.js'
import type { Row, SkippedRow } from './types.js'

/**
 * The rows of a data set, read and checked by {@link loadDataset}.
 *
 * ```ts
 * const dataset = await loadDataset('train.jsonl', { imageRoot: 'images' })
 * console.log(dataset.length, dataset.row(0).messages)
 * ```
 */
export class Dataset implements Iterable<Row> {
  /**
   * SHA-256, in hex, of the content as read and of the options that change its meaning. Images given by path count by
   * their path. A resumed run compares it, so that it goes on with the same data.
   */
  readonly fingerprint: string
  /** Rows left out under `badRows: 'skip'`, in their order. */
  readonly skipped: readonly SkippedRow[]
  /** What becomes of rows that turn out bad when they are used, as of those that were bad when they were read. */
  readonly badRows: 'strict' | 'skip'
  private readonly rows: readonly Row[]

  /** @internal */
  constructor(
    rows: readonly Row[],
    fingerprint: string,
    skipped: readonly SkippedRow[],
    badRows: 'strict' | 'skip' = 'strict',
  ) {
    this.rows = rows
    this.fingerprint = fingerprint
    this.skipped = skipped
    this.badRows = badRows
  }

  /** Number of rows. */
  get length(): number {
    return this.rows.length
  }

  /**
   * A row by its index, from 0.
   *
   * @throws ColdstartError `E_USAGE` outside `0 … length - 1`.
   */
  row(index: number): Row {
    const row = this.rows[index]
    if (row === undefined) {
      throw new ColdstartError('E_USAGE', `row ${index}: expected an index from 0 to ${this.rows.length - 1}`)
    }
    return row
  }

  /**
   * Without the rows that `faultOf` finds something wrong with. Under `strict` they are an error that lists them.
   *
   * @throws ColdstartError with the code of the fault, or `E_DATA_FORMAT` when no row is left.
   * @internal
   */
  without(faultOf: (row: Row, index: number) => Omit<SkippedRow, 'source'> | undefined): Dataset {
    const bad: SkippedRow[] = []
    const good = this.rows.filter((row, index) => {
      const fault = faultOf(row, index)
      if (fault !== undefined) bad.push({ source: row.source, ...fault })
      return fault === undefined
    })
    const [first] = bad
    if (first === undefined) return this
    if (this.badRows === 'strict') throw badRowsError(bad)
    if (good.length === 0) {
      throw new ColdstartError(
        'E_DATA_FORMAT',
        `all ${bad.length} rows are bad, the first: ${first.source}: ${first.message}`,
      )
    }
    return new Dataset(good, this.fingerprint, [...this.skipped, ...bad], this.badRows)
  }

  /** The rows in order. */
  [Symbol.iterator](): Iterator<Row> {
    return this.rows[Symbol.iterator]()
  }
}
