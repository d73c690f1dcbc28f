import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ColdstartError, type ErrorCode, errorCodes, exitCodeOf } from '../src/errors.js'

describe('exitCodeOf', () => {
  it.each<[ErrorCode, number]>([
    ['E_USAGE', 2],
    ['E_CONFIG', 2],
    ['E_DATA_ROW', 3],
    ['E_CKPT_MISMATCH', 3],
    ['E_URL_BLOCKED', 4],
    ['E_DIVERGED', 6],
    ['E_BUSY', 1],
  ])('%s exits with %i', (code, exit) => {
    expect(exitCodeOf(new ColdstartError(code, 'x'))).toBe(exit)
  })

  it('every code has an exit code, and appears once', () => {
    for (const code of errorCodes) expect([1, 2, 3, 4, 6]).toContain(exitCodeOf(new ColdstartError(code, 'x')))
    expect(new Set(errorCodes).size).toBe(errorCodes.length)
  })

  it('every code is one that something throws', () => {
    const folders = ['src', 'crates'].map((name) => fileURLToPath(new URL(`../${name}`, import.meta.url)))
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    const sources = files.filter((file) => /\.(ts|rs)$/.test(file) && !/[/\\]target[/\\]|errors\.ts$/.test(file))
    const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n')
    expect(errorCodes.filter((code) => !new RegExp(`\\b${code}\\b`).test(text))).toEqual([])
  })

  it('anything that is no error of ours exits with 1', () => {
    expect(exitCodeOf(new Error('x'))).toBe(1)
    expect(exitCodeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe(1)
    expect(exitCodeOf('E_CONFIG')).toBe(1)
  })
})

describe('ColdstartError', () => {
  it('carries code, hint, details and cause, and no empty fields', () => {
    const cause = new Error('below')
    const error = new ColdstartError('E_PATH', 'no such file', { hint: 'look', details: { path: 'a' }, cause })
    expect(error).toMatchObject({ name: 'ColdstartError', code: 'E_PATH', hint: 'look', details: { path: 'a' }, cause })
    expect(error).toBeInstanceOf(Error)
    const bare = new ColdstartError('E_PATH', 'x', { hint: undefined })
    expect('hint' in bare || 'details' in bare || 'cause' in bare).toBe(false)
  })
})
