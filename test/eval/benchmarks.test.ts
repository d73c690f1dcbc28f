import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { benchmarks } from '../../src/eval/benchmarks/index.js'
import type { Benchmark, BenchmarkName, BenchmarkRow, Protocol, RowImage } from '../../src/eval/types.js'
import {
  image,
  mathverseChoice,
  mathverseVisionOnly,
  mathvisionChoice,
  mathvisionFree,
  mathvistaChoice,
  mathvistaFloat,
  rowOf,
  ScriptedJudge,
  scored,
  wemathStep,
} from './benchmark-rows.js'

const published: Record<BenchmarkName, Record<string, unknown>[]> = {
  mathvista: [mathvistaChoice, mathvistaFloat],
  mathverse: [mathverseChoice, mathverseVisionOnly],
  mathvision: [mathvisionChoice, mathvisionFree],
  wemath: [wemathStep, { ...wemathStep, key: '2steps_2' }, { ...wemathStep, key: '2steps_multi' }],
  geometry3k: [{ id: '1', images: [image('1')], problem: '<image>x?', answer: '4' }],
}

const names = Object.keys(benchmarks) as BenchmarkName[]
const rowsOf = (benchmark: Benchmark): BenchmarkRow[] =>
  published[benchmark.name].map((values) => rowOf(benchmark, values))
const protocols = names.flatMap((name) =>
  Object.values(benchmarks[name].protocols).map((protocol): [string, Protocol, Benchmark] => [
    `${name} ${protocol.preset}`,
    protocol,
    benchmarks[name],
  ]),
)

it('stand under their names, their protocols under their presets', () => {
  for (const name of names) {
    expect(benchmarks[name].name).toBe(name)
    for (const [preset, protocol] of Object.entries(benchmarks[name].protocols)) {
      expect(protocol).toMatchObject({ benchmark: name, preset })
    }
  }
})

it('know the published number of rows of every split', () => {
  const rows = names.map((name) =>
    Object.entries(benchmarks[name].splits).map(([split, spec]) => `${split} ${spec.rows}`),
  )
  expect(rows).toEqual([
    ['testmini 1000', 'test 5141'],
    ['testmini 3940', 'testmini_text_only 788'],
    ['test 3040', 'testmini 304'],
    ['testmini 1740'],
    ['test 601', 'validation 300', 'train 2101'],
  ])
})

describe.each(protocols)('%s', (_name, protocol, benchmark) => {
  it('never calls an empty response right, but for the shortest choice of MathVista', async () => {
    for (const row of rowsOf(benchmark)) {
      for (const judge of ['rules', 'none'] as const) {
        const { correct } = await protocol.score(row, '', { judge, options: protocol.options })
        expect(correct).not.toBe(true)
      }
    }
    const shortest = rowOf(benchmarks.mathvista, { ...mathvistaChoice, answer: '9 cm' })
    const { correct } = await benchmarks.mathvista.protocols.official!.score(shortest, '', {
      judge: 'none',
      options: {},
    })
    expect(correct).toBe(true)
  })

  it('asks and scores from the columns alone, after they went through JSON', async () => {
    for (const row of rowsOf(benchmark)) {
      const images: readonly RowImage[] = row.images
      const stored = { ...(JSON.parse(JSON.stringify({ ...row, images: [] })) as BenchmarkRow), images }
      expect(protocol.prompt(stored, protocol.options)).toEqual(protocol.prompt(row, protocol.options))
      const replies = ['B', '1', 'Yes']
      const verdicts = await Promise.all(
        [row, stored].map((one) =>
          protocol.score(one, 'so \\boxed{B}', { judge: new ScriptedJudge(replies), options: protocol.options }),
        ),
      )
      expect(verdicts[0]).toEqual(verdicts[1])
    }
  })

  it('reports the same for any order of the rows', () => {
    const verdict = fc.option(fc.boolean())
    const rows = rowsOf(benchmark)
    fc.assert(
      fc.property(fc.array(verdict, { minLength: rows.length, maxLength: rows.length }), (verdicts) => {
        const table = rows.map((row, index) => scored(row, verdicts[index]!))
        const summary = protocol.summarize(table)
        expect(protocol.summarize([...table].reverse())).toEqual(summary)
        expect(summary.score).toBeGreaterThanOrEqual(0)
        expect(summary.score).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('reports all right as 1, nothing right as 0, and no rows as 0', () => {
    const rows = rowsOf(benchmark)
    expect(protocol.summarize(rows.map((row) => scored(row, true))).score).toBe(1)
    expect(protocol.summarize(rows.map((row) => scored(row, false))).score).toBe(0)
    expect(protocol.summarize([])).toMatchObject({ score: 0, n: 0, correct: 0 })
  })
})
