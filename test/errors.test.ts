import { describe, expect, it } from 'vitest'
import { ColdstartError, type ErrorCode, errorCodes, exitCodeOf } from '../src/errors.js'

describe('exitCodeOf', () => {
  it.each<[ErrorCode, number]>([
    ['E_USAGE', 2],
    ['E_CONFIG', 2],
    ['E_DATA_ROW', 3],
    ['E_CKPT_MISMATCH', 3],
    ['E_URL_BLOCKED', 4],
    ['E_OOM', 5],
    ['E_DIVERGED', 6],
    ['E_BUSY', 1],
  ])('%s exits with %i', (code, exit) => {
    expect(exitCodeOf(new ColdstartError(code, 'x'))).toBe(exit)
  })

  it('every code has an exit code from 1 to 6, and appears once', () => {
    for (const code of errorCodes) expect([1, 2, 3, 4, 5, 6]).toContain(exitCodeOf(new ColdstartError(code, 'x')))
    expect(new Set(errorCodes).size).toBe(errorCodes.length)
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
