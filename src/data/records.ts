/** Records of a source, one by one: each is an object, or the reason why it is none. */

import { closeSync, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { ColdstartError } from '../errors.js'
import { fileSize, refusalOf } from './file.js'
import type { Fingerprint } from './fingerprint.js'
import { kindOf } from './images.js'
import { parseJson } from './json.js'
import { type Line, maxLineBytes, readLines } from './lines.js'
import { decodeUtf8, foreignEncoding, lineAndColumn, withoutBom } from './text.js'
import type { DatasetLike } from './types.js'

/** A record, or the error that stands in its place. */
export interface SourceRecord {
  source: string
  record: Readonly<Record<string, unknown>> | ColdstartError
}

/** Largest `.json` file: it is parsed as one text, which V8 limits to 512 MiB. */
const maxJsonFileBytes = 256 * 1024 * 1024

/**
 * Reads a source and adds its content to the fingerprint.
 *
 * @throws ColdstartError `E_DATA_FORMAT` for a file that is no data set at all, `E_PATH` for one that cannot be opened;
 * the signal's reason when aborted.
 */
export async function* readRecords(
  source: DatasetLike,
  fingerprint: Fingerprint,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceRecord> {
  if (typeof source !== 'string') {
    yield* memoryRecords(source, fingerprint, signal)
    return
  }
  const size = await fileSize(source, source)
  refuseForeign(source)
  const extension = extname(source).toLowerCase()
  if (extension === '.jsonl' || extension === '.ndjson') yield* lineRecords(source, fingerprint, signal)
  else if (extension === '.json') yield* jsonRecords(source, size, fingerprint, signal)
  else {
    throw new ColdstartError('E_DATA_FORMAT', `${source}: expected a .jsonl or .json file`, {
      hint: 'convert other formats, or read them yourself and pass the records',
    })
  }
}

/** By the first bytes: a name says little about what a file holds. */
function refuseForeign(path: string): void {
  const encoding = foreignEncoding(headOf(path))
  if (encoding !== undefined) throw new ColdstartError('E_DATA_FORMAT', `${path}: ${encoding}, expected UTF-8 JSON`)
}

function headOf(path: string): Uint8Array {
  const head = new Uint8Array(4)
  try {
    const file = openSync(path, 'r')
    try {
      return head.subarray(0, readSync(file, head))
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw new ColdstartError('E_PATH', `${path}: ${refusalOf(cause)}`, { cause })
  }
}

async function* memoryRecords(
  source: Exclude<DatasetLike, string>,
  fingerprint: Fingerprint,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceRecord> {
  let index = 0
  for await (const record of source) {
    signal?.throwIfAborted()
    const name = `rows[${index}]`
    index += 1
    yield { source: name, record: digested(record, fingerprint) }
  }
}

function digested(record: unknown, fingerprint: Fingerprint): SourceRecord['record'] {
  try {
    fingerprint.value(record)
  } catch (error) {
    if (error instanceof ColdstartError) return error
    throw error
  }
  return asRecord(record)
}

/** Records of JSON Lines, from a file or from standard input. */
export async function* lineRecords(
  input: string | Readable,
  fingerprint: Fingerprint,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceRecord> {
  const name = typeof input === 'string' ? input : 'stdin'
  for await (const line of readLines(input, { signal, onBytes: (bytes) => fingerprint.bytes(bytes) })) {
    const record = lineRecord(line)
    if (record !== undefined) yield { source: `${name}:${line.number}`, record }
  }
}

/** The record of a line; undefined for a blank one. */
function lineRecord(line: Line): SourceRecord['record'] | undefined {
  if (line.bytes === undefined)
    return new ColdstartError('E_DATA_FORMAT', `${line.length} bytes in one line; the most is ${maxLineBytes}`)
  const bytes = line.number === 1 ? withoutBom(line.bytes) : line.bytes
  const skipped = line.bytes.length - bytes.length
  const decoded = decodeUtf8(bytes)
  if ('badByte' in decoded) return notUtf8(line.offset + skipped + decoded.badByte)
  if (/^[ \t\r]*$/.test(decoded.text)) return undefined
  const { value, problem } = { value: undefined, ...parseJson(decoded.text) }
  if (problem === undefined) return asRecord(value)
  const byte = line.offset + skipped + Buffer.byteLength(decoded.text.slice(0, problem.index))
  return new ColdstartError('E_DATA_FORMAT', `${problem.message} (column ${problem.index + 1}, byte ${byte})`)
}

async function* jsonRecords(
  path: string,
  size: number,
  fingerprint: Fingerprint,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceRecord> {
  if (size > maxJsonFileBytes) {
    throw new ColdstartError('E_DATA_FORMAT', `${path}: ${size} bytes; the most is ${maxJsonFileBytes}`, {
      hint: 'JSON Lines (.jsonl) has no such limit',
    })
  }
  const bytes = await readWhole(path, signal)
  fingerprint.bytes(bytes)
  const decoded = decodeUtf8(withoutBom(bytes))
  if ('badByte' in decoded) {
    const error = notUtf8(bytes.length - withoutBom(bytes).length + decoded.badByte)
    throw new ColdstartError('E_DATA_FORMAT', `${path}: ${error.message}`)
  }
  const parsed = parseJson(decoded.text)
  if (parsed.problem !== undefined) {
    const { line, column } = lineAndColumn(decoded.text, parsed.problem.index)
    const isLines = decoded.text.trimStart().startsWith('{')
    throw new ColdstartError('E_DATA_FORMAT', `${path}:${line}:${column}: ${parsed.problem.message}`, {
      hint: isLines ? 'one object per line is JSON Lines: name the file .jsonl' : undefined,
    })
  }
  if (!Array.isArray(parsed.value)) {
    throw new ColdstartError('E_DATA_FORMAT', `${path}: expected an array of objects, got ${kindOf(parsed.value)}`)
  }
  for (const [index, record] of parsed.value.entries()) yield { source: `${path}[${index}]`, record: asRecord(record) }
}

async function readWhole(path: string, signal: AbortSignal | undefined): Promise<Buffer> {
  try {
    return await readFile(path, { signal })
  } catch (cause) {
    // Node wraps the reason in an error of its own.
    signal?.throwIfAborted()
    throw new ColdstartError('E_PATH', `${path}: ${refusalOf(cause)}`, { cause })
  }
}

function asRecord(value: unknown): SourceRecord['record'] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  return new ColdstartError('E_DATA_FORMAT', `expected an object, got ${kindOf(value)}`)
}

function notUtf8(byte: number): ColdstartError {
  return new ColdstartError('E_DATA_FORMAT', `not UTF-8 at byte ${byte}`)
}
