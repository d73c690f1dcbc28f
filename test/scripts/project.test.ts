import { mkdirSync, mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changedAt, runLines } from '../../scripts/lib/project.mjs'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-project-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('changedAt', () => {
  it('is the newest change below a folder, without what is left out', () => {
    mkdirSync(join(folder, 'a', 'tests'), { recursive: true })
    writeFileSync(join(folder, 'a', 'x'), '')
    writeFileSync(join(folder, 'a', 'tests', 'y'), '')
    const old = new Date('2020-01-01')
    for (const path of ['a/x', 'a/tests', 'a', '.']) utimesSync(join(folder, path), old, old)
    expect(changedAt(folder, (name: string) => name === 'tests')).toBe(old.getTime())
    expect(changedAt(folder)).toBeGreaterThan(old.getTime())
  })

  it('notices a deletion', () => {
    const old = new Date('2020-01-01')
    writeFileSync(join(folder, 'gone'), '')
    utimesSync(folder, old, old)
    unlinkSync(join(folder, 'gone'))
    expect(changedAt(folder)).toBeGreaterThan(old.getTime())
  })

  it('is 0 for what does not exist', () => {
    expect(changedAt(join(folder, 'nothing'))).toBe(0)
  })
})

describe('runLines', () => {
  it('gives the lines of both streams in the order they were written, and the exit code', async () => {
    const lines: string[] = []
    const script = 'for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf last; exit 3'
    const code = await runLines('sh', ['-c', script], (line: string) => lines.push(line))
    expect(lines).toEqual(['out 1', 'err 1', 'out 2', 'err 2', 'out 3', 'err 3', 'last'])
    expect(code).toBe(3)
  })
})
