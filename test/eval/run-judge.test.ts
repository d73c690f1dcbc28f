// A run with an endpoint as judge: replies are stored, and what has one is not asked again.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runBenchmark } from '../../src/eval/run/run.js'
import { scoreBenchmark } from '../../src/eval/run/score-folder.js'
import { gate, type JudgeServer, judgeServer, saysWhen } from '../support/judge-server.js'
import { temporaryFolder } from '../support/tiny.js'
import { plainBenchmark } from './fixtures/plain-benchmark.js'
import { plainData, savedModel } from './fixtures/plain-data.js'

const rows = 40
const benchmark = plainBenchmark(rows)
let root: string
let data: string
let model: string
let server: JudgeServer
const questions: string[] = []
/** What every answer waits for. */
let mayAnswer: Promise<void> = Promise.resolve()

beforeAll(async () => {
  root = temporaryFolder()
  data = await plainData(join(root, 'data'), rows)
  model = await savedModel(join(root, 'model'))
  server = await judgeServer(({ prompt }) => {
    questions.push(prompt)
    return saysWhen(mayAnswer, 'Yes')
  })
})
afterAll(async () => {
  await server.close()
  rmSync(root, { recursive: true, force: true })
})

const out = (name: string): string => join(root, name)
const judge = () => ({ baseUrl: server.baseUrl, model: 'judge-model' })

const repliesIn = (name: string) => readFileSync(join(out(name), 'judge.jsonl'), 'utf8').split('\n').length - 1

describe('a judge behind an endpoint', () => {
  it('stopped while replies are under way, it waits for them: nothing is asked twice, and the report is that of an unbroken run', async () => {
    const whole = await runBenchmark({ benchmark, data, model, judge: judge(), outputDir: out('whole') })
    const needed = new Set(questions).size
    expect(questions).toHaveLength(needed)
    expect(whole).toMatchObject({ judge: 'judge-model', unjudged: 0, score: 1 })

    questions.length = 0
    const { opened, open } = gate()
    mayAnswer = opened
    const controller = new AbortController()
    const options = { benchmark, data, model, judge: judge(), outputDir: out('broken') }
    const broken = runBenchmark({ ...options, signal: controller.signal })
    const rejected = expect(broken).rejects.toThrow('enough')
    await expect.poll(() => questions.length).toBe(8)
    controller.abort(new Error('enough'))
    // Until their replies are stored the folder is in use: another command would ask them again.
    await expect(runBenchmark(options)).rejects.toMatchObject({ code: 'E_BUSY' })
    open()
    await rejected
    expect(repliesIn('broken')).toBe(8)
    const report = await runBenchmark(options)
    expect(repliesIn('broken')).toBe(needed)
    expect(questions).toHaveLength(needed)
    expect({ ...report, seconds: 0 }).toEqual({ ...whole, seconds: 0 })
  })

  it('scoring again uses the stored replies: without an endpoint, and with one that is asked nothing', async () => {
    questions.length = 0
    const offline = await scoreBenchmark(out('whole'), { benchmark })
    expect(offline).toMatchObject({ judge: 'judge-model', unjudged: 0, score: 1 })
    expect((await scoreBenchmark(out('whole'), { benchmark, judge: judge() })).score).toBe(1)
    expect(questions).toEqual([])
  })

  it('the same run without a judge keeps the verdicts of the one before', async () => {
    questions.length = 0
    const report = await runBenchmark({ benchmark, data, model, outputDir: out('whole') })
    expect(report).toMatchObject({ judge: 'judge-model', unjudged: 0, score: 1 })
    expect(questions).toEqual([])
  })

  it('an endpoint that answers nothing is E_JUDGE with its reason, however few the questions; it is asked again later', async () => {
    const broken = await judgeServer(() => (response) => response.writeHead(500).end())
    const options = { benchmark, data, model, limit: 3, outputDir: out('silent') }
    const silent = { baseUrl: broken.baseUrl, model: 'judge-model', tries: 1 }
    await expect(runBenchmark({ ...options, judge: silent })).rejects.toMatchObject({
      code: 'E_JUDGE',
      message: expect.stringMatching(/answered none of the questions; the last: .*500/),
    })
    await broken.close()
    expect((await runBenchmark({ ...options, judge: judge() })).unjudged).toBe(0)
  })

  it('a scoring whose judge answers nothing leaves the last one as it was: scores, report, page and judge', async () => {
    const files = ['scores.jsonl', 'report.json', 'report.html']
    const contents = () => files.map((file) => readFileSync(join(out('whole'), file), 'utf8'))
    const before = contents()
    const broken = await judgeServer(() => (response) => response.writeHead(500).end())
    const other = { baseUrl: broken.baseUrl, model: 'broken-model', tries: 1, maxFailures: 1000 }
    await expect(scoreBenchmark(out('whole'), { benchmark, judge: other })).rejects.toMatchObject({ code: 'E_JUDGE' })
    await expect(runBenchmark({ benchmark, data, model, outputDir: out('whole'), judge: other })).rejects.toMatchObject(
      { code: 'E_JUDGE' },
    )
    await broken.close()
    expect(contents()).toEqual(before)
    expect(await scoreBenchmark(out('whole'), { benchmark })).toMatchObject({ judge: 'judge-model', score: 1 })
  })

  it('without an endpoint, what has no stored reply is unjudged; with one, only that is asked', async () => {
    await runBenchmark({ benchmark, data, model, judge: 'rules', outputDir: out('later') })
    const offline = { model: 'judge-model', missing: 'unjudged' } as const
    const before = await scoreBenchmark(out('later'), { benchmark, judge: offline })
    expect(before.incomplete).toBe(true)
    expect(before.unjudged).toBe(rows - before.correct)
    questions.length = 0
    const report = await scoreBenchmark(out('later'), { benchmark, judge: judge() })
    expect(report.unjudged).toBe(0)
    expect(questions.length).toBe(new Set(questions).size)
    expect(questions.length).toBeGreaterThan(0)
  })

  it('a cap on calls ends the scoring with E_JUDGE, and the next one goes on', async () => {
    await runBenchmark({ benchmark, data, model, judge: 'rules', outputDir: out('capped') })
    questions.length = 0
    const capped = { ...judge(), maxCalls: 5 }
    await expect(scoreBenchmark(out('capped'), { benchmark, judge: capped })).rejects.toMatchObject({ code: 'E_JUDGE' })
    expect(questions).toHaveLength(5)
    expect((await scoreBenchmark(out('capped'), { benchmark, judge: judge() })).unjudged).toBe(0)
    expect(new Set(questions).size).toBe(questions.length)
  })
})
