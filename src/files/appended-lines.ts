// Files of lines that only grow. A line counts when its end is there: what a full disk or a killed process left of one is no line.
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Line, readLines } from '../data/lines.js'
import { syncFolder } from './write.js'

const newline = 0x0a
const CHUNK = 64 * 1024

/** The lines of a file that have their end; none where there is no file. Changes nothing, so that it may read what another process writes. */
export async function* wholeLines(path: string): AsyncGenerator<Line> {
  let isWhole = true
  const onBytes = (bytes: Buffer) => {
    isWhole = bytes.at(-1) === newline
  }
  let held: Line | undefined
  try {
    for await (const line of readLines(path, { onBytes })) {
      if (held) yield held
      held = line
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (held && isWhole) yield held
}

/** A file to append to. It is opened for each append only, and made by the first. */
export class AppendedLines {
  readonly path: string
  /** Where the file ended after the last append, if that went well. */
  #end: number | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.path = path
  }

  /**
   * Adds text of whole lines, in the order of calls; it is on the disk when the promise resolves. Rejects as Node tells it, and
   * then nothing was added. What a process that was killed left of a line is cut off before anything follows it.
   */
  append(text: string): Promise<void> {
    const appended = this.#last.then(() => this.#append(text))
    this.#last = appended.catch(() => undefined)
    return appended
  }

  /** Waits for what is being appended. */
  settled(): Promise<void> {
    return this.#last
  }

  async #append(text: string): Promise<void> {
    const end = this.#end
    this.#end = undefined
    const file = await open(this.path, 'a+')
    try {
      let { size } = await file.stat()
      if (size !== end) {
        const whole = await endOfLines(file, size)
        if (whole < size) await file.truncate(whole)
        size = whole
      }
      try {
        await file.appendFile(text)
        await file.datasync()
      } catch (error) {
        // The caller may append the same again, and whole lines among what was written would then be there twice.
        await file.truncate(size).catch(() => undefined)
        throw error
      }
      if (size === 0) await syncFolder(dirname(this.path))
      this.#end = size + Buffer.byteLength(text)
    } finally {
      await file.close()
    }
  }
}

/** Bytes up to the end of the last whole line among the first `size`. */
async function endOfLines(file: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.alloc(Math.min(size, CHUNK))
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length)
    const { bytesRead } = await file.read(chunk, 0, end - start, start)
    const at = chunk.subarray(0, bytesRead).lastIndexOf(newline)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}
