import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let bin: string
let empty: string
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'coldstart-goldens-'))
  empty = mkdtempSync(join(tmpdir(), 'coldstart-goldens-'))
})
afterAll(() => {
  for (const folder of [bin, empty]) rmSync(folder, { recursive: true })
})

const script = fileURLToPath(new URL('../../scripts/goldens.mjs', import.meta.url))

/** Runs the script on an empty folder with an engine that prints these comparisons and ends with `code`. */
function run(comparisons: object[], code: number, stderr = '') {
  const lines = comparisons.map((comparison) => `echo '${JSON.stringify(comparison)}'`)
  writeFileSync(join(bin, 'cargo'), ['#!/bin/sh', ...lines, `echo '${stderr}' >&2`, `exit ${code}`].join('\n'))
  chmodSync(join(bin, 'cargo'), 0o755)
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  return spawnSync(process.execPath, [script, empty], { encoding: 'utf8', env })
}

const met = {
  model: 'tiny',
  case: 'text',
  precision: 'f32',
  what: 'logits',
  measure: 'absolute',
  worst: 2e-6,
  limit: 1e-4,
  outcome: 'pass',
}

describe('npm run goldens', () => {
  it('prints deviations with their limits and ends with 0 when all are met', () => {
    const { stdout, status } = run([met], 0)
    expect(stdout).toContain('pass    tiny text f32 · logits · 2.0e-6 of 1.0e-4 (absolute)\n')
    expect(stdout).toMatch(/1 passed, 0 failed, \d+ absent\n$/)
    expect(status).toBe(0)
  })

  it('prints a miss that has no number as not comparable, and goes on to the next and the summary', () => {
    const { stdout, status } = run(
      [
        { ...met, worst: null, outcome: 'fail' },
        { ...met, what: 'loss' },
      ],
      1,
    )
    expect(stdout).toContain('fail    tiny text f32 · logits · not comparable (absolute)\n')
    expect(stdout).toContain('pass    tiny text f32 · loss · ')
    expect(stdout).toMatch(/1 passed, 1 failed, \d+ absent\n$/)
    expect(status).toBe(1)
  })

  it('tells what the engine said and ends with 1 when it compared nothing', () => {
    const { stderr, status } = run([], 2, 'E_USAGE: expected model folders')
    expect(stderr).toContain('E_USAGE: expected model folders')
    expect(status).toBe(1)
  })
})
