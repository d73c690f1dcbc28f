import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { jsonLines, jsonText, writeWhole } from '../../src/files/write.js'
import { temporaryFolder } from '../support/tiny.js'
import { areClosed, fileHandles } from './handles.js'

let folder: string
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, 'file')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

it('a file is written whole, and nothing else is left', async () => {
  await writeWhole(path, 'old and long')
  await writeWhole(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(readdirSync(folder)).toEqual(['file'])
})

it('content and name are synced, and both handles closed', async () => {
  const prototype = await fileHandles()
  const sync = vi.spyOn(prototype, 'sync')
  await writeWhole(path, 'text')
  expect(sync).toHaveBeenCalledTimes(2)
  expect(areClosed(sync)).toBe(true)
})

it.each(['writeFile', 'sync'] as const)('a %s that fails leaves the old content and no open handle', async (name) => {
  await writeWhole(path, 'old')
  const prototype = await fileHandles()
  const failing = vi.spyOn(prototype, name).mockRejectedValueOnce(Object.assign(new Error('full'), { code: 'ENOSPC' }))
  await expect(writeWhole(path, 'new')).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(areClosed(failing)).toBe(true)
})

it('what is in the way stays', async () => {
  mkdirSync(path)
  await expect(writeWhole(path, 'new')).rejects.toMatchObject({ code: 'EISDIR' })
  expect(existsSync(path)).toBe(true)
})

it('JSON ends with its line', () => {
  expect(jsonText({ a: 1 })).toBe('{\n  "a": 1\n}\n')
  expect(jsonLines([{ a: '\n' }, { b: 2 }])).toBe('{"a":"\\n"}\n{"b":2}\n')
  expect(jsonLines([])).toBe('')
})
