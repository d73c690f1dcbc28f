import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Line, readLines } from '../../src/data/lines.js'
import { collect } from '../collect.js'

let folder: string
let path: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-lines-'))
  path = join(folder, 'lines.txt')
})
afterAll(() => rmSync(folder, { recursive: true }))

async function linesOf(content: string | Uint8Array, limit?: number): Promise<Line[]> {
  writeFileSync(path, content)
  return collect(readLines(path, limit === undefined ? {} : { limit }))
}

const textOf = (line: Line): string | undefined => line.bytes?.toString('utf8')

describe('readLines', () => {
  it('splits as String.split does, for any mixture of contents and line ends', async () => {
    const piece = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 5 }), fc.constantFrom('\n', '\r\n', '\r', ''))
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        const content = pieces.join('')
        const expected = content.split('\n')
        if (expected.at(-1) === '') expected.pop()
        const lines = await linesOf(content)
        expect(lines.map(textOf)).toEqual(expected.map((line) => line.replace(/\r$/, '')))
      }),
      { numRuns: 200 },
    )
  })

  it('gives offsets at which the file holds the line', async () => {
    const content = Buffer.from('one\r\n\ntwö\nthree')
    for (const line of await linesOf(content)) {
      expect(content.subarray(line.offset, line.offset + line.length)).toEqual(line.bytes)
    }
  })

  it('joins a line that spans several reads of the file', async () => {
    const long = 'x'.repeat(3_000_000)
    const lines = await linesOf(`a\n${long}\nb`)
    expect(lines.map((line) => line.length)).toEqual([1, 3_000_000, 1])
    expect(textOf(lines[1]!)).toBe(long)
  })

  it.each(['\n', '\r\n'])('holds a line at the limit, passes over one byte more, and goes on (%j)', async (end) => {
    const lines = await linesOf(['1234567', '12345678', '123456789', 'ok'].join(end), 8)
    expect(lines.map(textOf)).toEqual(['1234567', '12345678', undefined, 'ok'])
    expect(lines[2]).toMatchObject({ number: 3, length: 9 })
  })

  it('rejects with the reason of an aborted signal', async () => {
    writeFileSync(path, 'a\nb\n')
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(collect(readLines(path, { signal }))).rejects.toThrow('enough')
  })

  it('rejects with the reason of a signal that is aborted while it waits for bytes', async () => {
    const silent = new PassThrough()
    const controller = new AbortController()
    const reason = new Error('enough')
    const lines = readLines(silent, { signal: controller.signal })
    silent.write('a\nb')
    expect(textOf((await lines.next()).value as Line)).toBe('a')
    const waiting = lines.next()
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(silent.destroyed).toBe(true)
  })
})
