// A benchmark run as a whole, with a benchmark that can be seen through and a real model of a few thousand parameters.
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EvaluationEvent } from '../../src/eval/run/events.js'
import type { RunBenchmarkOptions } from '../../src/eval/run/options.js'
import { runBenchmark } from '../../src/eval/run/run.js'
import { scoreBenchmark } from '../../src/eval/run/score-folder.js'
import type { ResponseLine, ScoreLine } from '../../src/eval/run/types.js'
import type { Judge } from '../../src/eval/types.js'
import { colourNames, temporaryFolder } from '../support/tiny.js'
import { plainBenchmark } from './fixtures/plain-benchmark.js'
import { plainData, savedModel } from './fixtures/plain-data.js'

const rows = 12
const benchmark = plainBenchmark(rows)
let root: string
let data: string
let model: string

beforeAll(async () => {
  root = temporaryFolder()
  data = await plainData(join(root, 'data'), rows)
  model = await savedModel(join(root, 'model'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const out = (name: string): string => join(root, 'runs', name)
const run = (name: string, options: Partial<RunBenchmarkOptions> = {}) =>
  runBenchmark({ benchmark, data, model, outputDir: out(name), batchSize: 3, ...options })

function linesOf<T>(name: string, file: string): T[] {
  return readFileSync(join(out(name), file), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T)
}
const responsesOf = (name: string) => linesOf<ResponseLine>(name, 'rows.jsonl')
const said = (name: string) => responsesOf(name).map(({ id, response }) => [id, response])

/** Collects events, and aborts after a number of rows. */
function listener(abortAfter = Number.POSITIVE_INFINITY) {
  const events: EvaluationEvent[] = []
  const controller = new AbortController()
  const onEvent = (event: EvaluationEvent): void => {
    events.push(event)
    if (answered().length >= abortAfter) controller.abort(new Error('enough'))
  }
  const answered = () => events.flatMap((event) => (event.type === 'row' ? [event.id] : []))
  return { events, answered, options: { onEvent, signal: controller.signal } }
}

/** Answers yes to everything, and counts. */
function yesJudge(): Judge & { questions: string[] } {
  const questions: string[] = []
  return {
    name: 'yes-model',
    questions,
    ask: async (prompt) => {
      questions.push(prompt)
      return 'Yes'
    },
  }
}

describe('runBenchmark', () => {
  it('answers every row, and writes run, rows, scores and report', async () => {
    const heard = listener()
    const report = await run('whole', heard.options)
    expect(report).toMatchObject({
      protocol: {
        benchmark: 'mathvista',
        preset: 'official',
        version: '1',
        options: { suffix: '', ignoreEmpty: false },
      },
      judge: 'rules',
      sampling: { temperature: 0.5, maxNewTokens: 6, seed: 0 },
      answers: { kind: 'model', path: model, dtype: 'float32', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
      dataset: { split: 'testmini', rows, published: rows, answered: rows, revision: null },
      subset: false,
      incomplete: false,
      metric: 'accuracy (rules)',
      n: rows,
      rows,
      unjudged: 0,
      missing: 0,
    })
    expect(JSON.parse(readFileSync(join(out('whole'), 'report.json'), 'utf8'))).toEqual(report)
    const lines = responsesOf('whole')
    expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: rows }, (_, i) => String(i)))
    for (const line of lines) {
      expect(line.promptHash).toMatch(/^[0-9a-f]{64}$/)
      expect(line.promptTokens).toBeGreaterThan(3)
      expect(line.tokens).toBeGreaterThan(0)
      expect(line.tokens).toBeLessThanOrEqual(6)
    }
    expect(report.tokens.response).toBe(lines.reduce((sum, { tokens }) => sum + tokens, 0))
    expect(report.truncated).toBe(lines.filter(({ finishReason }) => finishReason === 'length').length)
    const scores = linesOf<ScoreLine>('whole', 'scores.jsonl')
    expect(scores.map(({ correct }) => correct)).toEqual(
      scores.map(({ extraction, gold }) => extraction?.trim() === gold),
    )
    expect(report.correct).toBe(scores.filter(({ correct }) => correct).length)
    expect(heard.events[0]).toMatchObject({ type: 'start', rows, done: 0 })
    expect(heard.events.at(-1)).toEqual({ type: 'end', report })
    expect(heard.answered()).toHaveLength(rows)
  })

  it('a response depends on neither the batch nor what was answered before', async () => {
    await run('batches', { batchSize: 5 })
    expect(said('batches')).toEqual(said('whole'))
  })

  it('another seed samples other responses', async () => {
    await run('seed', { seed: 1 })
    expect(said('seed')).not.toEqual(said('whole'))
  })

  it('stopped by its signal it keeps what it has, and goes on to the same responses without a second generation', async () => {
    const first = listener(5)
    await expect(run('resumed', first.options)).rejects.toThrow('enough')
    const kept = responsesOf('resumed').map(({ id }) => id)
    expect(kept.length).toBeGreaterThanOrEqual(5)
    expect(kept.length).toBeLessThan(rows)
    const second = listener()
    const report = await run('resumed', second.options)
    expect(second.events[0]).toMatchObject({ type: 'start', done: kept.length })
    expect([...kept, ...second.answered()].sort()).toEqual(Array.from({ length: rows }, (_, i) => `${i}`).sort())
    expect(said('resumed')).toEqual(said('whole'))
    expect(report.rows).toBe(rows)
  })

  it('run again when it is complete, it loads no model and scores the same', async () => {
    const before = await run('whole')
    const heard = listener()
    const report = await run('whole', heard.options)
    expect(heard.answered()).toEqual([])
    const timeless = ({ seconds, ...rest }: typeof report) => ({ ...rest, generating: seconds.generating })
    expect(timeless(report)).toEqual(timeless(before))
  })

  it('a last line that a killed process left unfinished is cut off and answered again', async () => {
    await expect(run('torn', listener(4).options)).rejects.toThrow('enough')
    const kept = responsesOf('torn').map(({ id }) => id)
    appendFileSync(join(out('torn'), 'rows.jsonl'), '{"id":"11","response":"hal')
    const heard = listener()
    await run('torn', heard.options)
    expect(heard.answered()).toHaveLength(rows - kept.length)
    expect(said('torn')).toEqual(said('whole'))
  })

  it('a damaged line before the last is E_CKPT_CORRUPT naming it', async () => {
    await expect(run('damaged', listener(4).options)).rejects.toThrow('enough')
    appendFileSync(join(out('damaged'), 'rows.jsonl'), '{"id":\n{"id":"x"}\n')
    await expect(run('damaged')).rejects.toMatchObject({
      code: 'E_CKPT_CORRUPT',
      message: expect.stringMatching(/rows\.jsonl:\d+: not JSON/),
    })
  })

  it('limit answers the first rows and marks the report as a subset', async () => {
    const report = await run('limited', { limit: 4 })
    expect(report).toMatchObject({ subset: true, rows: 4, dataset: { rows, published: rows, answered: 4 } })
    expect(said('limited')).toEqual(said('whole').slice(0, 4))
  })

  it('any other number of rows than published marks the report as a subset', async () => {
    const benchmark = (published: number) => plainBenchmark(published)
    expect(await run('fewer', { benchmark: benchmark(rows + 1), partial: true })).toMatchObject({ subset: true })
    expect(await run('more', { benchmark: benchmark(rows - 1), partial: true })).toMatchObject({ subset: true })
    // The first rows of a longer file are as many as published, and not the published ones for all that.
    const first = { benchmark: benchmark(rows - 1), partial: true, limit: rows - 1 }
    expect(await run('first of more', first)).toMatchObject({ subset: true })
  })

  it.each([
    ['another seed', { seed: 3 }, /sampling\.seed: 0 then, 3 now/],
    ['another length', { maxNewTokens: 3 }, /sampling\.maxNewTokens: 6 then, 3 now/],
    ['another option', { options: { suffix: ' ?' } }, /protocol\.options\.suffix: "" then, " \?" now/],
    ['another version', { benchmark: plainBenchmark(rows, { version: '2' }) }, /protocol\.version: "1" then, "2" now/],
    ['another part', { limit: 2 }, /dataset\.answered: 12 then, 2 now/],
    ['another number type', { dtype: 'bfloat16' }, /answers\.dtype: "float32" then, "bfloat16" now/],
  ] as const)('a folder of a run with %s is refused, naming the difference', async (_, options, message) => {
    await expect(run('whole', options)).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringMatching(message),
    })
  })

  it('a folder of a run of other weights, rows or images is refused', async () => {
    const otherModel = await savedModel(join(root, 'model-1'), 1)
    await expect(run('whole', { model: otherModel })).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('answers.fingerprint'),
    })
    const other = await plainData(join(root, 'other'), rows)
    const text = readFileSync(join(other, 'testmini.jsonl'), 'utf8')
    writeFileSync(join(other, 'testmini.jsonl'), text.replace('"even"', '"odd"'))
    expect((await run('moved', { data: await plainData(join(root, 'copy'), rows) })).rows).toBe(rows)
    expect((await run('moved')).rows).toBe(rows)
    writeFileSync(join(root, 'copy', 'teal.png'), readFileSync(join(root, 'copy', 'red.png')))
    await expect(run('moved', { data: join(root, 'copy') })).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('dataset.images'),
    })
  })

  it.each([
    ['neither model nor responses', { model: undefined }, /who answers is missing/],
    ['both', { responses: 'x.jsonl' }, /both model and responses given/],
    ['a limit of nothing', { limit: 0 }, /limit: expected an integer of at least 1, got 0/],
    ['an option that is not read', { options: { cot: true } }, /no option "cot"/],
    ['an option of another type', { options: { suffix: true } as never }, /suffix: expected a string, got boolean/],
    ['a preset that is not there', { preset: 'paper' }, /has no preset "paper"/],
    ['an unknown benchmark', { benchmark: 'mathvist' as never }, /unknown benchmark "mathvist"/],
    ['an unusable judge', { judge: { baseUrl: 'ftp://x', model: 'm' } }, /baseUrl/],
  ] as const)('%s is E_CONFIG before any file is read', async (_, options, message) => {
    await expect(run('config', { data: '/does/not/exist', ...options })).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringMatching(message),
    })
  })

  it('an image that does not decode stops it before the first token, naming the row', async () => {
    const bad = await plainData(join(root, 'bad'), rows)
    writeFileSync(join(bad, 'pink.png'), readFileSync(join(bad, 'pink.png')).subarray(0, 60))
    const heard = listener()
    await expect(run('bad-image', { data: bad, ...heard.options })).rejects.toMatchObject({
      code: 'E_IMAGE_DECODE',
      message: expect.stringContaining('testmini.jsonl:7 image'),
    })
    rmSync(join(bad, 'pink.png'))
    await expect(run('bad-image', { data: bad, ...heard.options })).rejects.toMatchObject({ code: 'E_PATH' })
    expect(heard.answered()).toEqual([])
  })

  it('an image that goes bad while it runs is a coded error, after which the run goes on', async () => {
    const flaky = await plainData(join(root, 'flaky'), rows)
    const file = join(flaky, 'gold.png')
    const whole = readFileSync(file)
    const first = listener()
    const onEvent = (event: EvaluationEvent) => {
      if (event.type === 'row') writeFileSync(file, whole.subarray(0, 60))
      first.options.onEvent(event)
    }
    await expect(run('flaky', { data: flaky, onEvent })).rejects.toMatchObject({ code: 'E_IMAGE_DECODE' })
    expect(first.answered().length).toBeGreaterThan(0)
    writeFileSync(file, whole)
    const second = listener()
    await run('flaky', { data: flaky, ...second.options })
    expect(first.answered().length + second.answered().length).toBe(rows)
    expect(said('flaky')).toEqual(said('whole'))
  })

  it('a response has the room that the model leaves beside its prompt; a prompt that leaves none is E_TOO_LONG, naming the row', async () => {
    await run('long', { maxNewTokens: 4096, limit: 1 })
    const [{ promptTokens, tokens }] = responsesOf('long') as [ResponseLine]
    expect(promptTokens + tokens).toBeLessThanOrEqual(2048)
    const wordy = await plainData(join(root, 'wordy'), rows)
    const text = readFileSync(join(wordy, 'testmini.jsonl'), 'utf8')
    writeFileSync(join(wordy, 'testmini.jsonl'), text.replaceAll('what is', `${'what '.repeat(2048)}is`))
    await expect(run('wordy', { data: wordy, limit: 1 })).rejects.toMatchObject({
      code: 'E_TOO_LONG',
      message: expect.stringMatching(/testmini\.jsonl:1: expected at most 2048 tokens/),
    })
  })

  it('of two runs in one folder at a time one is E_BUSY', async () => {
    const both = await Promise.allSettled([run('busy'), run('busy')])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'E_BUSY' } })
  })

  it('is given the limits on image sizes of its protocol', async () => {
    const pixels = { minPixels: 28 * 28 * 9, maxPixels: 28 * 28 * 16 }
    const large = await run('pixels', { benchmark: plainBenchmark(rows, { pixels }), limit: 2 })
    const small = await run('limited', { limit: 4 })
    expect(large.pixels).toEqual(pixels)
    expect(large.tokens.prompt / 2).toBeGreaterThan(small.tokens.prompt / 4 + 5)
  })

  it('a placeholder in a question is text: it gives no image and counts as none', async () => {
    const marked = await plainData(join(root, 'marked'), rows)
    const text = readFileSync(join(marked, 'testmini.jsonl'), 'utf8')
    writeFileSync(join(marked, 'testmini.jsonl'), text.replaceAll('what is', '<image> <|image_pad|> <image1> what is'))
    const report = await run('marked', { data: marked, limit: 2 })
    expect(report.rows).toBe(2)
    expect(report.tokens.prompt).toBeGreaterThan(0)
  })
})

describe('responses from a file', () => {
  const file = (name: string, lines: readonly unknown[]): string => {
    const path = join(root, `${name}.jsonl`)
    writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'))
    return path
  }
  const given = (name: string, lines: readonly unknown[], options: Partial<RunBenchmarkOptions> = {}) =>
    run(name, { model: undefined, responses: file(name, lines), ...options })

  it('are scored without a model, without images, and in the order of the data', async () => {
    const colours = ['red', 'green', 'blue', 'black', 'white', 'grey', 'pink', 'lime', 'gold', 'teal', 'red', 'pink']
    const lines = colours.map((response, id) => ({ id, response, finishReason: id === 3 ? 'length' : 'stop' }))
    const moved = join(root, 'without-images')
    await plainData(moved, rows)
    rmSync(join(moved, 'red.png'))
    const report = await given('recorded', lines.reverse(), { data: moved })
    expect(report).toMatchObject({
      correct: 11,
      score: 11 / 12,
      truncated: 1,
      missing: 0,
      sampling: null,
      pixels: null,
    })
    expect(report.breakdowns.kind).toEqual({
      even: { n: 6, correct: 6, accuracy: 1 },
      odd: { n: 6, correct: 5, accuracy: 5 / 6 },
    })
    expect(said('recorded').map(([, response]) => response)).toEqual(colours)
  })

  it('a row without a response is wrong and counted as missing', async () => {
    const report = await given('gaps', [{ id: '0', response: 'red' }])
    expect(report).toMatchObject({ correct: 1, n: rows, missing: rows - 1, unjudged: 0, noAnswer: 0 })
    expect(linesOf<ScoreLine>('gaps', 'scores.jsonl')[1]).toEqual({
      id: '1',
      gold: 'green',
      extraction: null,
      correct: false,
      path: 'missing',
      calls: 0,
    })
  })

  it('of a file without any are no rows that are answered already', async () => {
    const heard = listener()
    const report = await given('nobody', [], heard.options)
    expect(report).toMatchObject({ missing: rows, correct: 0 })
    expect(heard.events[0]).toMatchObject({ type: 'start', rows, done: 0 })
  })

  it('the responses of one folder can be scored in another', async () => {
    const report = await run('again', { model: undefined, responses: join(out('whole'), 'rows.jsonl') })
    expect(report.correct).toBe((await run('whole')).correct)
  })

  it.each([
    ['an unknown id', [{ id: '12', response: 'x' }], 'E_DATA_ROW', /:1: no row of the data has the id "12"/],
    [
      'an id twice',
      [
        { id: 1, response: 'x' },
        { id: '1', response: 'y' },
      ],
      'E_DATA_ROW',
      /:2: "1" was answered at .*:1/,
    ],
    ['no text', [{ id: '1', response: null }], 'E_DATA_ROW', /:1: response: expected a text, got null/],
    ['no id', [{ response: 'x' }], 'E_DATA_ROW', /:1: id: expected a text or a number, got nothing/],
    ['no object', [3], 'E_DATA_FORMAT', /:1: expected an object/],
  ] as const)('%s is refused, naming the line', async (name, lines, code, message) => {
    await expect(given(`refused ${name}`, lines)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  it('a response to a row that the limit leaves out is no error', async () => {
    const report = await given(
      'cut',
      [
        { id: '0', response: 'red' },
        { id: '9', response: 'x' },
      ],
      { limit: 2 },
    )
    expect(report).toMatchObject({ rows: 2, correct: 1, missing: 1, subset: true })
  })
})

describe('scoring', () => {
  it.each(['rules', 'none'])('a judge called %s is refused: a report could not tell it from none', async (model) => {
    for (const judge of [
      { ...yesJudge(), name: model },
      { baseUrl: 'http://127.0.0.1:1/v1', model },
    ]) {
      await expect(run('reserved', { judge })).rejects.toMatchObject({
        code: 'E_CONFIG',
        message: expect.stringContaining(`cannot be called ${model}`),
      })
    }
  })

  it('a judge is asked only what rules leave open, and the report names it', async () => {
    const judge = yesJudge()
    const report = await run('judged', { judge })
    const scores = linesOf<ScoreLine>('judged', 'scores.jsonl')
    const open = scores.filter(({ path }) => path === 'judge:same')
    expect(judge.questions).toHaveLength(open.length)
    expect(report).toMatchObject({ judge: 'yes-model', score: 1, judgeCalls: open.length, unjudged: 0 })
    expect(report.paths['judge:same']).toBe(open.length)
  })

  it('by rules says so in the headline, also where no row needed them', async () => {
    const responses = join(root, 'all-right.jsonl')
    writeFileSync(responses, colourNames.map((response, id) => JSON.stringify({ id, response })).join('\n'))
    const recorded = { model: undefined, responses, limit: colourNames.length }
    const report = await run('all-right', recorded)
    expect(report).toMatchObject({ score: 1, paths: { 'rule:equal': report.rows }, metric: 'accuracy (rules)' })
    expect((await run('all-right', { ...recorded, judge: 'none' })).metric).toBe('accuracy')
    const never = plainBenchmark(rows, { judge: 'never' })
    expect((await run('never-judged', { ...recorded, benchmark: never })).metric).toBe('accuracy')
  })

  it('more than 1 % unjudged marks the report incomplete, and they count as wrong', async () => {
    const silent: Judge = { name: 'silent', ask: async () => null }
    const report = await run('silent', { judge: silent })
    expect(report.incomplete).toBe(true)
    expect(report.unjudged).toBe(rows - report.correct)
    expect((await run('silent', { judge: 'none' })).unjudged).toBe(report.unjudged)
  })

  it('a folder is scored again without model, data or images, by another judge', async () => {
    const moved = await plainData(join(root, 'vanishing'), rows)
    await run('rescored', { data: moved })
    rmSync(moved, { recursive: true })
    const judge = yesJudge()
    const report = await scoreBenchmark(out('rescored'), { benchmark, judge })
    expect(report).toMatchObject({ judge: 'yes-model', score: 1 })
    expect(judge.questions.length).toBeGreaterThan(0)
    expect((await scoreBenchmark(out('rescored'), { benchmark, judge: 'rules' })).judge).toBe('rules')
  })

  it('a run that is not finished is not scored', async () => {
    await expect(run('half', listener(4).options)).rejects.toThrow('enough')
    await expect(scoreBenchmark(out('half'), { benchmark })).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringMatching(/\d of 12 rows are answered/),
    })
    await expect(scoreBenchmark(data, { benchmark })).rejects.toMatchObject({ code: 'E_PATH' })
  })

  it('a later version scores old responses if it asks the same, and refuses them if it asks something else', async () => {
    await run('older', { limit: 3 })
    const later = plainBenchmark(rows, { version: '2' })
    expect((await scoreBenchmark(out('older'), { benchmark: later })).protocol.version).toBe('2')
    const changed = plainBenchmark(rows, { version: '3', prompt: ({ images }) => ({ text: 'and now ?', images }) })
    await expect(scoreBenchmark(out('older'), { benchmark: changed })).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('row 0 was asked with version 1'),
    })
  })

  it('the first error of scoring is the one that is told, and the responses stay', async () => {
    const failing: Judge = {
      name: 'failing',
      ask: async () => {
        throw new Error('no more')
      },
    }
    await expect(run('failing', { judge: failing })).rejects.toThrow('no more')
    const heard = listener()
    expect((await run('failing', { ...heard.options, judge: yesJudge() })).score).toBe(1)
    expect(heard.answered()).toEqual([])
  })
})
