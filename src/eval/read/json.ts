/** Records of JSON files: an array of objects, an object of objects (as MathVista's), or one object a line. */

import { readFile, stat } from 'node:fs/promises'
import { Fingerprint } from '../../data/fingerprint.js'
import { kindOf } from '../../data/images.js'
import { parseJson } from '../../data/json.js'
import type { PathResolver } from '../../data/paths.js'
import { readRecords } from '../../data/records.js'
import { decodeUtf8, lineAndColumn, withoutBom } from '../../data/text.js'
import { ColdstartError } from '../../errors.js'
import type { RawRecord } from '../types.js'
import { imageColumn } from './values.js'

/** Largest `.json` file: it is parsed as one text. */
const maxBytes = 256 * 1024 * 1024

/**
 * Reads one file; `images` are the columns that hold paths of images.
 *
 * @throws ColdstartError `E_DATA_FORMAT` with file and place.
 */
export async function readJsonRecords(
  path: string,
  format: 'json' | 'jsonl',
  images: readonly string[],
  paths: PathResolver,
  signal?: AbortSignal,
): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for await (const { source, record } of format === 'json' ? jsonRecords(path, signal) : lines(path, signal)) {
    const values = Object.entries(record).map(([name, value]): [string, unknown] => [
      name,
      images.includes(name) ? imageColumn(value, `${source} ${name}`, async () => value, paths) : value,
    ])
    records.push({ source, values: Object.fromEntries(values) })
  }
  return records
}

interface JsonRecord {
  source: string
  record: Readonly<Record<string, unknown>>
}

async function* lines(path: string, signal: AbortSignal | undefined): AsyncGenerator<JsonRecord> {
  // The digest of the file is not needed: a data set is known by its rows, whatever format they come in.
  for await (const { source, record } of readRecords(path, new Fingerprint(), signal)) {
    if (record instanceof ColdstartError) {
      throw new ColdstartError(record.code, `${source}: ${record.message}`, { cause: record })
    }
    yield { source, record }
  }
}

async function* jsonRecords(path: string, signal: AbortSignal | undefined): AsyncGenerator<JsonRecord> {
  const { size } = await stat(path)
  if (size > maxBytes) throw new ColdstartError('E_DATA_FORMAT', `${path}: ${size} bytes; the most is ${maxBytes}`)
  const decoded = decodeUtf8(withoutBom(await readFile(path, signal === undefined ? {} : { signal })))
  if ('badByte' in decoded) throw new ColdstartError('E_DATA_FORMAT', `${path}: not UTF-8 at byte ${decoded.badByte}`)
  const parsed = parseJson(decoded.text)
  if (parsed.problem !== undefined) {
    const { line, column } = lineAndColumn(decoded.text, parsed.problem.index)
    throw new ColdstartError('E_DATA_FORMAT', `${path}:${line}:${column}: ${parsed.problem.message}`)
  }
  for (const [key, record] of entriesOf(parsed.value, path)) {
    const source = `${path}[${key}]`
    if (!isObject(record)) {
      throw new ColdstartError('E_DATA_FORMAT', `${source}: expected an object, got ${kindOf(record)}`)
    }
    yield { source, record }
  }
}

function entriesOf(value: unknown, path: string): Iterable<[string | number, unknown]> {
  if (Array.isArray(value)) return value.entries()
  if (isObject(value)) return Object.entries(value)
  throw new ColdstartError('E_DATA_FORMAT', `${path}: expected an array or an object of rows, got ${kindOf(value)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
