/**
 * Records of a parquet file. Text is read once and kept; encoded images are read a row group at a time, when they are
 * wanted, since those of a split would fill the memory.
 */

import { open, stat } from 'node:fs/promises'
import type { AsyncBuffer, FileMetaData, SchemaTree } from 'hyparquet'
import type { PathResolver } from '../../data/paths.js'
import { ColdstartError } from '../../errors.js'
import type { RawRecord } from '../types.js'
import { imageColumn, plain, type Reread } from './values.js'

type Row = Record<string, unknown>

/**
 * Reads one file.
 *
 * @param images columns that hold images; those that are text in this file are paths.
 * @throws ColdstartError `E_DATA_FORMAT` naming the file; the signal's reason.
 */
export async function readParquet(
  path: string,
  images: readonly string[],
  paths: PathResolver,
  signal?: AbortSignal,
): Promise<RawRecord[]> {
  const file = await ParquetFile.open(path)
  const lazy = images.filter((name) => file.columns.get(name)?.holdsBytes === true)
  const pathColumns = images.filter((name) => file.columns.get(name)?.holdsBytes === false)
  const columns = [...file.columns.keys()]
  const records: RawRecord[] = []
  for (const [groupIndex, { start, count }] of file.groups.entries()) {
    signal?.throwIfAborted()
    const rows = await file.read(groupIndex, columns)
    for (let index = 0; index < count; index += 1) {
      const source = `${path}[${start + index}]`
      const row = rows[index] as Row
      const values = columns.map((name): [string, unknown] => {
        const where = `${source} ${name}`
        if (lazy.includes(name)) {
          return [name, imageColumn(row[name], where, file.rereader(groupIndex, lazy, index, name), paths)]
        }
        const value = plain(row[name], where)
        return [name, pathColumns.includes(name) ? imageColumn(value, where, async () => value, paths) : value]
      })
      records.push({ source, values: Object.fromEntries(values) })
    }
  }
  return records
}

class ParquetFile {
  #held: { group: number; rows: Promise<Row[]> } | undefined

  private constructor(
    private readonly path: string,
    private readonly library: typeof import('hyparquet'),
    private readonly options: {
      file: Awaited<ReturnType<typeof import('hyparquet')['asyncBufferFromFile']>>
      metadata: FileMetaData
      compressors: typeof import('hyparquet-compressors')['compressors']
      // By default byte columns become text, which silently destroys images.
      utf8: false
    },
    /** Columns in their order. */
    readonly columns: ReadonlyMap<string, { holdsBytes: boolean }>,
    /** First row and number of rows of each row group. */
    readonly groups: readonly { start: number; count: number }[],
  ) {}

  static async open(path: string): Promise<ParquetFile> {
    const [library, { compressors }] = await Promise.all([import('hyparquet'), import('hyparquet-compressors')])
    try {
      const file = await fileSlices(path)
      const metadata = await library.parquetMetadataAsync(file)
      const columns = new Map(
        library
          .parquetSchema(metadata)
          .children.map((column) => [column.element.name, { holdsBytes: holdsBytes(column) }]),
      )
      let start = 0
      const groups = metadata.row_groups.map((group) => {
        const count = Number(group.num_rows)
        start += count
        return { start: start - count, count }
      })
      return new ParquetFile(path, library, { file, metadata, compressors, utf8: false }, columns, groups)
    } catch (cause) {
      throw unreadable(path, cause)
    }
  }

  /** Rows of a group. */
  async read(group: number, columns: string[]): Promise<Row[]> {
    const { start, count } = this.groups[group]!
    let rows: Row[]
    try {
      rows = await this.library.parquetReadObjects({
        ...this.options,
        columns,
        rowStart: start,
        rowEnd: start + count,
      })
    } catch (cause) {
      throw unreadable(this.path, cause, this.codecs(group))
    }
    if (rows.length === count) return rows
    throw new ColdstartError('E_DATA_FORMAT', `${this.path}: ${rows.length} rows where ${count} were announced`)
  }

  /** How the columns of a group are compressed: what a decompressor says does not tell which one it is. */
  private codecs(group: number): string[] {
    const columns = this.options.metadata.row_groups[group]!.columns
    return [...new Set(columns.flatMap(({ meta_data }) => meta_data?.codec ?? []))]
  }

  /** Made here, away from the rows: a function made beside them would keep all their images in memory. */
  rereader(group: number, columns: string[], index: number, name: string): Reread {
    return async () => (await this.images(group, columns))[index]?.[name]
  }

  /** The image columns of a group. The last one asked for is kept: rows are read in their order. */
  images(group: number, columns: string[]): Promise<Row[]> {
    if (this.#held?.group === group) return this.#held.rows
    const rows = this.read(group, columns)
    this.#held = { group, rows }
    rows.catch(() => {
      if (this.#held?.rows === rows) this.#held = undefined
    })
    return rows
  }
}

/** Pieces of a file, each read straight into memory of its own size: a row group of images is large. */
async function fileSlices(path: string): Promise<AsyncBuffer> {
  const { size: byteLength } = await stat(path)
  const slice = async (start: number, end: number = byteLength): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(end - start)
    const file = await open(path)
    try {
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) throw new Error(`ends at byte ${start + filled}, before byte ${end}`)
        filled += bytesRead
      }
    } finally {
      await file.close()
    }
    return bytes.buffer
  }
  return { byteLength, slice }
}

/** True for a column with bytes somewhere in it that are not marked as text. */
function holdsBytes({ element, children }: SchemaTree): boolean {
  if (children.length > 0) return children.some(holdsBytes)
  const isText = element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING'
  return element.type === 'BYTE_ARRAY' && !isText
}

function unreadable(path: string, cause: unknown, codecs: readonly string[] = []): ColdstartError {
  const message = cause instanceof Error ? cause.message : String(cause)
  const compressed = codecs.length === 0 ? '' : ` (compression ${codecs.join(', ')})`
  return new ColdstartError('E_DATA_FORMAT', `${path}: not a readable parquet file${compressed}: ${message}`, {
    ...(codecs.some((codec) => codec.startsWith('LZ4'))
      ? { hint: 'write it with another compression, as SNAPPY' }
      : {}),
    cause,
  })
}
