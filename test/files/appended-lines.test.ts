import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppendedLines, wholeLines } from '../../src/files/appended-lines.js'
import { temporaryFolder } from '../support/tiny.js'
import { areClosed, fileHandles } from './handles.js'

let folder: string
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, 'lines')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const content = (): string => readFileSync(path, 'utf8')
describe('AppendedLines', () => {
  it('writes in the order of calls, also when nobody waits', async () => {
    const lines = new AppendedLines(path)
    await Promise.all(['a\n', 'b\nc\n', 'd\n'].map((text) => lines.append(text)))
    expect(content()).toBe('a\nb\nc\nd\n')
  })

  it('syncs the file for every append, and the folder when the file is new', async () => {
    const prototype = await fileHandles()
    const [data, names] = [vi.spyOn(prototype, 'datasync'), vi.spyOn(prototype, 'sync')]
    const lines = new AppendedLines(path)
    await lines.append('a\n')
    expect([data.mock.calls.length, names.mock.calls.length]).toEqual([1, 1])
    await lines.append('b\n')
    expect([data.mock.calls.length, names.mock.calls.length]).toEqual([2, 1])
  })

  it.each(['', 'whole\n', 'whole\n"and more"\n'])(
    'cuts off a part of a line behind %j, however long',
    async (whole) => {
      for (const torn of ['', '{', 'x'.repeat(200_000)]) {
        writeFileSync(path, whole + torn)
        await new AppendedLines(path).append('next\n')
        expect(content()).toBe(`${whole}next\n`)
      }
    },
  )

  it('cuts off what was left behind its own lines too', async () => {
    const lines = new AppendedLines(path)
    await lines.append('a\n')
    writeFileSync(path, 'a\n{"to')
    await lines.append('b\n')
    expect(content()).toBe('a\nb\n')
  })

  it('adds nothing when it fails half way, so that the same can be appended again', async () => {
    const prototype = await fileHandles()
    const lines = new AppendedLines(path)
    await lines.append('a\n')
    const write = prototype.appendFile
    vi.spyOn(prototype, 'appendFile').mockImplementationOnce(async function (this: FileHandle) {
      await write.call(this, 'b\nc')
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    })
    await expect(lines.append('b\ncd\n')).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(content()).toBe('a\n')
    vi.spyOn(prototype, 'datasync').mockRejectedValueOnce(new Error('no medium'))
    await expect(lines.append('b\ncd\n')).rejects.toThrow('no medium')
    expect(content()).toBe('a\n')
    await lines.append('b\ncd\n')
    expect(content()).toBe('a\nb\ncd\n')
  })

  it('closes the file, whether it could be written or not', async () => {
    const prototype = await fileHandles()
    const write = vi.spyOn(prototype, 'appendFile').mockRejectedValueOnce(new Error('no space'))
    const lines = new AppendedLines(path)
    await expect(lines.append('a\n')).rejects.toThrow('no space')
    await lines.append('a\n')
    expect(write).toHaveBeenCalledTimes(2)
    expect(areClosed(write)).toBe(true)
  })

  it('goes on when what was in its way is gone', async () => {
    mkdirSync(path)
    const lines = new AppendedLines(path)
    const [first, second] = [lines.append('a\n'), lines.append('b\n')]
    await expect(first).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(second).rejects.toMatchObject({ code: 'EISDIR' })
    rmdirSync(path)
    await lines.append('c\n')
    expect(content()).toBe('c\n')
  })
})

describe('wholeLines', () => {
  const read = async (): Promise<(string | undefined)[]> => {
    const lines: (string | undefined)[] = []
    for await (const { bytes } of wholeLines(path)) lines.push(bytes?.toString('utf8'))
    return lines
  }

  it.each([
    ['', []],
    ['a', []],
    ['a\n', ['a']],
    ['a\nb', ['a']],
    ['a\n\n', ['a', '']],
    ['é\r\n“b”\n', ['é', '“b”']],
  ])('of %j are %j', async (text, expected) => {
    writeFileSync(path, text)
    expect(await read()).toEqual(expected)
    expect(content()).toBe(text)
  })

  it('of a file of many pieces leave out its unfinished last line only', async () => {
    const long = 'x'.repeat(700_000)
    writeFileSync(path, `${long}1\n${long}2\n${long}3\n${long}`)
    expect((await read()).map((line) => line?.at(-1))).toEqual(['1', '2', '3'])
  })

  it('are none where there is no file, and what else is wrong with it is told', async () => {
    expect(await read()).toEqual([])
    mkdirSync(path)
    await expect(read()).rejects.toMatchObject({ code: 'EISDIR' })
  })
})
