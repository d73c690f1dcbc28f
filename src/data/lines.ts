/** Lines of a text file as bytes, with their offsets: JSONL is read this way so that an error can name the byte. */

import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'

/** Longest line that is read, in bytes. */
export const maxLineBytes = 64 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/** One line without its end (LF or CRLF). */
export interface Line {
  /** Counted from 1. */
  number: number
  /** Offset of the line's first byte in the file. */
  offset: number
  /** Length in the file, without the end of line. */
  length: number
  /** The bytes, or undefined for a line longer than the limit: it is passed over without being held in memory. */
  bytes: Buffer | undefined
}

/**
 * Reads the lines of a file or of a stream of bytes, the last one with or without an end of line. Memory is bounded by `limit`.
 *
 * @param onBytes gets every piece of the file in order, for a digest of the whole.
 * @throws the file system's errors, and the signal's reason.
 */
export async function* readLines(
  source: string | Readable,
  options: { limit?: number; onBytes?: (bytes: Buffer) => void; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Line> {
  const { limit = maxLineBytes, onBytes, signal } = options
  const stream = typeof source === 'string' ? createReadStream(source, { highWaterMark: 1 << 20 }) : source
  let number = 1
  let offset = 0
  let length = 0
  let last: number | undefined
  let pieces: Buffer[] = []

  const take = (piece: Buffer): void => {
    length += piece.length
    last = piece.at(-1) ?? last
    // A CRLF's first byte is no part of the line, so it may exceed the limit by one.
    if (length <= limit + 1) pieces.push(piece)
    else pieces = []
  }
  const finish = (): Line => {
    const size = last === carriageReturn ? length - 1 : length
    const bytes = size > limit ? undefined : Buffer.concat(pieces, length).subarray(0, size)
    const line: Line = { number, offset, length: size, bytes }
    number += 1
    offset += length + 1
    length = 0
    last = undefined
    pieces = []
    return line
  }

  try {
    // A pipe or a terminal may stay silent for ever: an abort must end the wait for it, too.
    if (signal) addAbortSignal(signal, stream)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      onBytes?.(chunk)
      let start = 0
      for (;;) {
        const end = chunk.indexOf(newline, start)
        if (end < 0) break
        take(chunk.subarray(start, end))
        yield finish()
        start = end + 1
      }
      if (start < chunk.length) take(chunk.subarray(start))
    }
    if (length > 0) yield finish()
  } catch (error) {
    // The stream wraps the reason in an error of its own.
    signal?.throwIfAborted()
    throw error
  } finally {
    stream.destroy()
  }
}
