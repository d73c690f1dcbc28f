// What the main process and a reward process say to each other, over a socket of their own: a reward may print what it likes.
import type { Judgement } from '../types.js'

/** File descriptor of the socket in the reward process. */
export const channelFd = 3

/** Largest batch that is sent, in bytes: completions, rows and encoded images of one prompt. */
export const maxRequestBytes = 64 * 1024 * 1024

/** Largest answer that is read, in bytes, and the most that a call may print. */
export const maxAnswerBytes = 1024 * 1024

/** What a reward process is started with, as its one argument in JSON. */
export interface RunnerOptions {
  /** Absolute path of the module. */
  path: string
  /** Its export; by default the default export or the only function. */
  name?: string
  /** Time in ms after which the signal of a call fires. */
  softMs: number
  /** Resident memory in bytes at which the process ends itself. */
  maxResidentBytes: number
}

/** A line of JSON from a reward process: first whether the module is ready, then one for each batch. */
export type Reply =
  | { ready: { name: string } }
  | { refused: { code: 'E_CONFIG' | 'E_REWARD'; message: string; hint?: string } }
  | { judgement: Judgement }

/** A batch on the wire: its length, then its bytes. */
export function framed(bytes: Uint8Array): [header: Buffer, bytes: Uint8Array] {
  const header = Buffer.alloc(4)
  header.writeUInt32LE(bytes.length)
  return [header, bytes]
}

/** Cuts a stream of frames; `onFrame` gets each one whole. */
export function frameReader(onFrame: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = []
  let held = 0
  return (chunk) => {
    pieces.push(chunk)
    held += chunk.length
    while (held >= 4) {
      const first = pieces[0] as Buffer
      const head = first.length >= 4 ? first : Buffer.concat(pieces)
      const size = 4 + head.readUInt32LE()
      if (held < size) return
      const all = Buffer.concat(pieces)
      pieces = [all.subarray(size)]
      held -= size
      onFrame(all.subarray(4, size))
    }
  }
}
