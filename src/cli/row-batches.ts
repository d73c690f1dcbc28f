/** A file of rows, a batch at a time, so that a file of any size is judged in bounded memory. */

import { Fingerprint } from '../data/fingerprint.js'
import { lineRecords, readRecords } from '../data/records.js'
import { ColdstartError } from '../errors.js'

/** A batch ends at this many rows, or at this many characters of what is kept of them. */
const batchRows = 512
const batchCharacters = 1024 * 1024

/** What is kept of a row. */
export interface Picked<T> {
  /** `file:line`. */
  source: string
  value: T
}

/**
 * Reads rows from a `.jsonl` or `.json` file, or with `-` from standard input; `pick` takes from each what is needed and says
 * how many characters that is.
 *
 * @throws ColdstartError `E_DATA_ROW` naming file and line, for what `pick` refuses, after the rows before it were yielded;
 * `E_DATA_FORMAT` for a file without rows.
 */
export async function* rowBatches<T>(
  file: string,
  pick: (row: Readonly<Record<string, unknown>>) => { value: T; size: number },
  signal: AbortSignal,
): AsyncGenerator<Picked<T>[]> {
  let batch: Picked<T>[] = []
  let size = 0
  let rows = 0
  const unused = new Fingerprint()
  const records = file === '-' ? lineRecords(process.stdin, unused, signal) : readRecords(file, unused, signal)
  for await (const { source, record } of records) {
    let picked: ReturnType<typeof pick>
    try {
      if (record instanceof ColdstartError) throw record
      picked = pick(record)
    } catch (error) {
      if (!(error instanceof ColdstartError)) throw error
      if (batch.length > 0) yield batch
      throw new ColdstartError('E_DATA_ROW', `${source}: ${error.message}`, { hint: error.hint, cause: error })
    }
    batch.push({ source, value: picked.value })
    size += picked.size
    rows += 1
    if (batch.length < batchRows && size < batchCharacters) continue
    yield batch
    batch = []
    size = 0
  }
  if (rows === 0) throw new ColdstartError('E_DATA_FORMAT', `${file === '-' ? 'stdin' : file} has no rows`)
  if (batch.length > 0) yield batch
}
