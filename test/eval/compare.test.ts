// Two evaluation folders side by side.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareEvaluations } from '../../src/eval/compare.js'
import type { RunBenchmarkOptions } from '../../src/eval/run/options.js'
import { runBenchmark } from '../../src/eval/run/run.js'
import type { Benchmark, Judge } from '../../src/eval/types.js'
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
      metric: 'accuracy (rules)',
      subset: false,
      leftOut: 0,
      n: rows,
      both: 4,
      onlyA: 1,
      onlyB: 4,
      neither: 1,
      difference: 0.3,
      a: { folder: out('base'), score: 0.5, unjudged: 0, incomplete: false },
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
    const file = join(other, 'testmini.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('what is it', 'what is'))
    await recorded('other', [], { data: other })
    await expect(compareEvaluations(out('base'), out('other'))).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('dataset.fingerprint'),
    })
  })

  it('rows that a side has no verdict on are left out; with more than 1 % of them it is refused unless that is allowed', async () => {
    const judge = (silentOn: string): Judge => ({
      name: 'some-judge',
      ask: async (prompt) => (prompt.includes(`the same as ${silentOn}?`) ? null : 'No'),
    })
    // Rows 0 to 4 of A are put to the judge, rows 0 and 5 of B; a failed question is no wrong answer.
    const [first, second] = [colourNames[0] as string, colourNames[5] as string]
    await recorded('judged-a', [0, 1, 2, 3, 4], { judge: judge(first) })
    await recorded('judged-b', [0, 5], { judge: judge(second) })
    const folders = [out('judged-a'), out('judged-b')] as const
    await expect(compareEvaluations(...folders)).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: `${folders[0]} is incomplete: 1 of 10 rows have no verdict`,
      hint: expect.stringContaining('--incomplete'),
    })
    expect(await compareEvaluations(...folders, { incomplete: true })).toMatchObject({
      a: { unjudged: 1, incomplete: true },
      leftOut: 2,
      n: 8,
      both: 4,
      onlyA: 0,
      onlyB: 4,
      neither: 0,
      difference: 0.5,
      breakdowns: { kind: { even: { n: 4, onlyB: 2 }, odd: { n: 4, onlyB: 2 } } },
    })
    await recorded('never-judged', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { judge: 'none' })
    const nothing = out('never-judged')
    await expect(compareEvaluations(nothing, nothing, { incomplete: true })).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('no row has a verdict both in'),
    })
  })

  it('a value that a row names twice counts once', async () => {
    const twice = plainBenchmark(rows)
    const benchmark: Benchmark = {
      ...twice,
      read: (records, split) => twice.read(records, split).map((row) => ({ ...row, groups: { skills: ['s', 's'] } })),
    }
    await recorded('twice-a', [0], { benchmark })
    await recorded('twice-b', [1], { benchmark })
    expect((await compareEvaluations(out('twice-a'), out('twice-b'))).breakdowns).toEqual({
      skills: { s: { n: rows, onlyA: 1, onlyB: 1 } },
    })
  })

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ['lack a row', (lines) => lines.slice(0, -1), /scores\.jsonl: 9 rows, where data\.jsonl has 10/],
    ['have a row twice', (lines) => [...lines.slice(0, 9), lines[0] as string], /row 10 is 0, in data\.jsonl 9/],
    [
      'are of another scoring than the report',
      (lines) => lines.map((line) => line.replace('"correct":false', '"correct":null')),
      /5 rows without a verdict, where report\.json counts 0/,
    ],
  ])('scores that %s are E_CKPT_CORRUPT', async (_, change, message) => {
    await recorded('damaged', [0, 1, 2, 3, 4])
    const file = join(out('damaged'), 'scores.jsonl')
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    writeFileSync(
      file,
      change(lines)
        .map((line) => `${line}\n`)
        .join(''),
    )
    await expect(compareEvaluations(out('base'), out('damaged'))).rejects.toMatchObject({
      code: 'E_CKPT_CORRUPT',
      message: expect.stringMatching(message),
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
