import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PathResolver } from '../../src/data/paths.js'
import { ColdstartError, type ErrorCode } from '../../src/errors.js'

let base: string
let root: string
beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'coldstart-paths-')))
  root = join(base, 'root')
  mkdirSync(join(root, 'sub'), { recursive: true })
  mkdirSync(join(base, 'root-beside'))
  writeFileSync(join(root, 'sub', 'in.png'), 'x')
  writeFileSync(join(base, 'root-beside', 'out.png'), 'x')
  symlinkSync(join(base, 'root-beside', 'out.png'), join(root, 'link.png'))
  symlinkSync(join(root, 'sub'), join(root, 'alias'))
})
afterAll(() => rmSync(base, { recursive: true }))

function codeOf(path: string, allowPaths = false): ErrorCode | undefined {
  try {
    new PathResolver(root, allowPaths).resolve(path)
    return undefined
  } catch (error) {
    return (error as ColdstartError).code
  }
}

describe('paths in data', () => {
  it('resolve under the root, through links that stay inside', () => {
    const paths = new PathResolver(root, false)
    expect(paths.resolve('sub/in.png')).toBe(join(root, 'sub', 'in.png'))
    expect(paths.resolve('./alias/in.png')).toBe(join(root, 'sub', 'in.png'))
  })

  it.each([
    '../root-beside/out.png',
    'sub/../sub/in.png',
    'sub\\..\\..\\out.png',
    '/etc/passwd',
    'C:\\out.png',
    '\\\\server\\share\\out.png',
    'link.png',
    'sub/in.png\0.jpg',
    '',
    'missing.png',
    'sub/in.png/x',
  ])('%j is refused', (path) => {
    expect(codeOf(path)).toBe('E_PATH')
  })

  it.each(['http://localhost/a.png', 'https://example.com/a.png', 'file:///etc/passwd', 'ftp://x/y'])(
    '%s is never fetched, with or without allowPaths',
    (url) => {
      expect(codeOf(url)).toBe('E_URL_BLOCKED')
      expect(codeOf(url, true)).toBe('E_URL_BLOCKED')
    },
  )

  it('allowPaths lifts the bounds of the root, not the need for the file', () => {
    expect(codeOf('../root-beside/out.png', true)).toBeUndefined()
    expect(codeOf(join(base, 'root-beside', 'out.png'), true)).toBeUndefined()
    expect(codeOf('link.png', true)).toBeUndefined()
    expect(codeOf('missing.png', true)).toBe('E_PATH')
  })

  it('the error for a missing file names it and says so', () => {
    expect(() => new PathResolver(root, false).resolve('missing.png')).toThrow('no such file: "missing.png"')
  })

  it('an error never shows more than the start of a very long path', () => {
    const error: unknown = (() => {
      try {
        return new PathResolver(root, false).resolve('x'.repeat(100_000))
      } catch (reason) {
        return reason
      }
    })()
    expect(error).toBeInstanceOf(ColdstartError)
    expect((error as ColdstartError).message.length).toBeLessThan(300)
  })
})
