// Two evaluation folders side by side.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareEvaluations } from '../../src/eval/compare.js'
import type { RunBenchmarkOptions } from '../../src/eval/run/options.js'
import { runBenchmark } from '../../src/eval/run/run.js'
import { colourNames, temporaryFolder } from '../support/tiny.js'
import { plainBenchmark } from './fixtures/plain-benchmark.js'
import { plainData, savedModel } from './fixtures/plain-data.js'

const rows = 10
let root: string
let data: string

beforeAll(async () => {
  root = temporaryFolder()
  data = await plainData(join(root, 'data'), rows)
  // Right are the rows that are not named.
  await recorded('base', [0, 1, 2, 3, 4])
  await recorded('better', [0, 5])
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const out = (name: string): string => join(root, 'runs', name)

function recorded(name: string, wrong: readonly number[], options: Partial<RunBenchmarkOptions> = {}) {
  const responses = join(root, `${name}.jsonl`)
  const lines = colourNames.map((colour, id) =>
    JSON.stringify({ id, response: wrong.includes(id) ? 'unknown' : colour }),
  )
  writeFileSync(responses, lines.join('\n'))
  return runBenchmark({ benchmark: plainBenchmark(rows), data, responses, outputDir: out(name), ...options })
}

describe('compareEvaluations', () => {
  it('gives the paired difference, who is right where, and the rows', async () => {
    const comparison = await compareEvaluations(out('base'), out('better'))
    expect(comparison).toMatchObject({
      protocol: { benchmark: 'mathvista', preset: 'official', version: '1' },
      judge: 'rules',
      dataset: { split: 'testmini', answered: rows, published: rows },
      metric: 'accuracy',
      n: rows,
      both: 4,
      onlyA: 1,
      onlyB: 4,
      neither: 1,
      difference: 0.3,
      a: { folder: out('base'), score: 0.5, unjudged: 0 },
      b: { folder: out('better'), score: 0.8 },
      onlyAIds: ['5'],
      onlyBIds: ['1', '2', '3', '4'],
    })
    // 2 · (1 + 5) / 2⁵
    expect(comparison.pValue).toBeCloseTo(12 / 32, 12)
    expect(comparison.breakdowns).toEqual({
      kind: { even: { n: 5, onlyA: 0, onlyB: 2 }, odd: { n: 5, onlyA: 1, onlyB: 2 } },
    })
  })

  it('a folder compared with itself does not differ', async () => {
    const same = await compareEvaluations(out('base'), out('base'))
    expect(same).toMatchObject({ difference: 0, ci95: [0, 0], pValue: 1, onlyAIds: [], breakdowns: { kind: {} } })
  })

  it('a model is compared with recorded responses, and with itself under another seed', async () => {
    const model = await savedModel(join(root, 'model'))
    const by = (name: string, seed: number) =>
      runBenchmark({ benchmark: plainBenchmark(rows), data, model, seed, outputDir: out(name) })
    await by('model', 0)
    await by('model-1', 1)
    expect((await compareEvaluations(out('model'), out('better'))).n).toBe(rows)
    expect((await compareEvaluations(out('model'), out('model-1'))).n).toBe(rows)
    await runBenchmark({ benchmark: plainBenchmark(rows), data, model, maxNewTokens: 2, outputDir: out('short') })
    await expect(compareEvaluations(out('model'), out('short'))).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('sampling.maxNewTokens: 6 in the first, 2 in the second'),
    })
  })

  it.each([
    [
      'version of the protocol',
      { benchmark: plainBenchmark(rows, { version: '2' }) },
      /protocol\.version: "1" in the first, "2"/,
    ],
    ['option', { options: { ignoreEmpty: true } }, /protocol\.options\.ignoreEmpty/],
    ['judge', { judge: 'none' }, /judge: "rules" in the first, "none" in the second/],
    ['part of the data', { limit: 5 }, /dataset\.answered: 10 in the first, 5/],
  ] as const)('another %s is refused, naming it', async (name, options, message) => {
    await recorded(name, [], options)
    await expect(compareEvaluations(out('base'), out(name))).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringMatching(message),
    })
  })

  it('other rows are refused', async () => {
    const other = await plainData(join(root, 'other'), rows)
    const { readFileSync } = await import('node:fs')
    const file = join(other, 'testmini.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('what is it', 'what is'))
    await recorded('other', [], { data: other })
    await expect(compareEvaluations(out('base'), out('other'))).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('dataset.fingerprint'),
    })
  })

  it('a folder that is no evaluation, or was not scored yet, is E_PATH', async () => {
    await expect(compareEvaluations(out('base'), data)).rejects.toMatchObject({ code: 'E_PATH' })
    await recorded('unscored', [])
    rmSync(join(out('unscored'), 'report.json'))
    await expect(compareEvaluations(out('unscored'), out('base'))).rejects.toMatchObject({
      code: 'E_PATH',
      message: expect.stringContaining('has not been scored yet'),
    })
  })
})
