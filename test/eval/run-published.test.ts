// The built-in benchmarks end to end, from files in their published schemas.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { benchmarks } from '../../src/eval/benchmarks/index.js'
import { readSplit } from '../../src/eval/read/split.js'
import { runBenchmark } from '../../src/eval/run/run.js'
import { scoreBenchmark } from '../../src/eval/run/score-folder.js'
import type { BenchmarkName, PresetName } from '../../src/eval/types.js'
import { picture, temporaryFolder } from '../support/tiny.js'
import { savedModel } from './fixtures/plain-data.js'
import { published, publishedJson, publishedParquet, recordedResponses } from './fixtures/published.js'

const names = Object.keys(published) as BenchmarkName[]
const protocols = names.flatMap((name) =>
  (Object.keys(benchmarks[name].protocols) as PresetName[]).map((preset): [BenchmarkName, PresetName] => [
    name,
    preset,
  ]),
)
let root: string
let model: string
let onePicture: Buffer

beforeAll(async () => {
  root = temporaryFolder()
  onePicture = await picture('teal')
  model = await savedModel(join(root, 'model'))
  for (const name of names) await publishedParquet(name, join(root, name))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe.each(names)('%s', (name) => {
  it('every row is read from the parquet of the hub, with its image', async () => {
    const { rows } = await readSplit(benchmarks[name], { path: join(root, name), partial: true })
    expect(rows.map(({ id }) => id)).toEqual(published[name].ids)
    for (const { images } of rows) {
      expect(images).toHaveLength(1)
      expect(
        Buffer.from((await images[0]!.read()) as Uint8Array)
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG')
    }
  })

  it('recorded responses are scored by its default protocol', async () => {
    const responses = recordedResponses(name, join(root, `${name}.responses.jsonl`))
    const outputDir = join(root, 'recorded', name)
    const report = await runBenchmark({ benchmark: name, data: join(root, name), partial: true, responses, outputDir })
    expect(report).toMatchObject({ missing: 0, unjudged: 0, subset: true, rows: published[name].ids.length })
    expect(report.correct).toBe(published[name].correct)
    expect(report.score).toBeCloseTo(report.correct / report.n, 12)
    expect(report.ci95[0]).toBeLessThan(report.score)
    expect(report.ci95[1]).toBeGreaterThan(report.score)
  })
})

it.each(names.filter((name) => published[name].json !== undefined))(
  '%s: the JSON of the repository gives the rows of the parquet',
  async (name) => {
    const path = await publishedJson(name, join(root, 'json', name))
    const [json, parquet] = await Promise.all(
      [path, join(root, name)].map((path) => readSplit(benchmarks[name], { path, partial: true })),
    )
    const known = (data: typeof json) => data!.rows.map(({ id, gold, groups }) => ({ id, gold, groups }))
    expect(known(json)).toEqual(known(parquet))
    expect(await json!.rows[1]!.images[0]!.read()).toMatch(/images\/1\.png$/)
  },
)

it.each(protocols)(
  '%s, preset %s: a model answers all rows, and scoring them again changes nothing',
  async (name, preset) => {
    const outputDir = join(root, 'generated', `${name}-${preset}`)
    const report = await runBenchmark({
      benchmark: name,
      preset,
      data: join(root, name),
      partial: true,
      // A large image takes a while on one core, and three rows are a whole problem of We-Math.
      limit: 3,
      model,
      outputDir,
      maxNewTokens: 4,
    })
    expect(report.protocol).toMatchObject({ benchmark: name, preset })
    expect(report.rows).toBe(Math.min(3, published[name].ids.length))
    expect(report.tokens.response).toBeGreaterThanOrEqual(report.rows)
    const scores = readFileSync(join(outputDir, 'scores.jsonl'), 'utf8')
    const again = await scoreBenchmark(outputDir)
    expect(readFileSync(join(outputDir, 'scores.jsonl'), 'utf8')).toBe(scores)
    expect({ ...again, seconds: 0 }).toEqual({ ...report, seconds: 0 })
  },
)

/** The rows of a benchmark, the image of the second one gone in a way that downloads and conversions have. */
function withoutImage(name: BenchmarkName, nothing: unknown): string {
  const { imageColumn, ids, rows } = published[name]
  const folder = join(root, 'without', name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'a.png'), onePicture)
  const lines = rows.map((row, index) => {
    const { image: _, ...columns } = row
    const numbers = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
    return JSON.stringify(
      { ...columns, [imageColumn]: index === 1 ? nothing : 'a.png', id: columns.id ?? ids[index] },
      numbers,
    )
  })
  const [split] = Object.keys(benchmarks[name].splits)
  writeFileSync(join(folder, `${split}.jsonl`), lines.join('\n'))
  return folder
}

describe.each(names)('%s, a row whose image is absent', (name) => {
  it.each([[null], [''], [[]], [{ bytes: null, path: null }]])(
    'is not asked without it where the column holds %j: E_DATA_ROW names row and column',
    async (nothing) => {
      const outputDir = join(root, 'absent', name)
      const run = runBenchmark({ benchmark: name, data: withoutImage(name, nothing), partial: true, model, outputDir })
      await expect(run).rejects.toMatchObject({
        code: 'E_DATA_ROW',
        message: expect.stringMatching(
          new RegExp(`jsonl:2: column ${published[name].imageColumn}: expected an image, got`),
        ),
      })
      expect(existsSync(join(outputDir, 'rows.jsonl'))).toBe(false)
    },
  )

  it('is counted where responses were recorded', async () => {
    const responses = recordedResponses(name, join(root, `${name}.absent.jsonl`))
    const outputDir = join(root, 'absent-recorded', name)
    const data = withoutImage(name, null)
    const report = await runBenchmark({ benchmark: name, data, partial: true, responses, outputDir })
    expect(report.dataset.withoutImage).toBe(1)
    expect(readFileSync(join(outputDir, 'report.html'), 'utf8')).toContain('Without an image:')
    expect((await scoreBenchmark(outputDir)).dataset.withoutImage).toBe(1)
  })
})

it('MathVerse: rows of text alone need no image', async () => {
  const folder = join(root, 'text-only')
  mkdirSync(folder)
  const row = { ...published.mathverse.rows[0], problem_version: 'Text Only' }
  writeFileSync(join(folder, 'testmini_text_only.jsonl'), JSON.stringify(row))
  const report = await runBenchmark({
    benchmark: 'mathverse',
    data: folder,
    split: 'testmini_text_only',
    partial: true,
    model,
    outputDir: join(root, 'text-only-run'),
    maxNewTokens: 2,
  })
  expect(report.dataset).not.toHaveProperty('withoutImage')
  expect(report.rows).toBe(1)
})

it('We-Math: a missing response to a whole problem or to one of its steps never earns credit', async () => {
  const scores = []
  for (const left of [7, 6, 5, 0]) {
    const path = recordedResponses('wemath', join(root, `wemath-${left}.jsonl`))
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, left)
    writeFileSync(path, lines.join('\n'))
    const report = await runBenchmark({
      benchmark: 'wemath',
      data: join(root, 'wemath'),
      partial: true,
      responses: path,
      outputDir: join(root, `wemath-${left}`),
    })
    expect(report.missing).toBe(7 - left)
    scores.push(report.score)
  }
  expect(scores).toEqual([...scores].sort((a, b) => b - a))
  expect(scores.at(-1)).toBe(0)
})
