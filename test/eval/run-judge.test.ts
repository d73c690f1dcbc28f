// A run with an endpoint as judge: replies are stored, and what has one is not asked again.
import { readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EvaluationEvent } from '../../src/eval/run/events.js'
import { runBenchmark } from '../../src/eval/run/run.js'
import { scoreBenchmark } from '../../src/eval/run/score-folder.js'
import { judgeServer } from '../support/judge-server.js'
import { temporaryFolder } from '../support/tiny.js'
import { plainBenchmark } from './fixtures/plain-benchmark.js'
import { plainData, savedModel } from './fixtures/plain-data.js'

const rows = 40
const benchmark = plainBenchmark(rows)
let root: string
let data: string
let model: string
let server: Server
let baseUrl: string
const questions: string[] = []

beforeAll(async () => {
  root = temporaryFolder()
  data = await plainData(join(root, 'data'), rows)
  model = await savedModel(join(root, 'model'))
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      questions.push((JSON.parse(body) as { messages: { content: string }[] }).messages[0]!.content)
      const reply = JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'Yes' } }] })
      response.setHeader('content-type', 'application/json')
      setTimeout(() => response.end(reply), 5)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
})
afterAll(async () => {
  await new Promise((done) => server.close(done))
  rmSync(root, { recursive: true, force: true })
})

const out = (name: string): string => join(root, name)
const judge = () => ({ baseUrl, model: 'judge-model' })

describe('a judge behind an endpoint', () => {
  it('stopped in the middle, nothing is asked twice and the report is that of an unbroken run', async () => {
    const whole = await runBenchmark({ benchmark, data, model, judge: judge(), outputDir: out('whole') })
    const needed = new Set(questions).size
    expect(questions).toHaveLength(needed)
    expect(whole).toMatchObject({ judge: 'judge-model', unjudged: 0, score: 1 })

    questions.length = 0
    const controller = new AbortController()
    const onEvent = (event: EvaluationEvent) => {
      if (event.type === 'scored' && event.done === 10) controller.abort(new Error('enough'))
    }
    const options = { benchmark, data, model, judge: judge(), outputDir: out('broken') }
    await expect(runBenchmark({ ...options, onEvent, signal: controller.signal })).rejects.toThrow('enough')
    const asked = questions.length
    expect(asked).toBeLessThan(needed)
    const report = await runBenchmark(options)
    // Calls that were cancelled on their way may have reached the endpoint; those with a reply are not made again.
    const stored = readFileSync(join(out('broken'), 'judge.jsonl'), 'utf8')
      .trim()
      .split('\n')
    expect(stored).toHaveLength(needed)
    expect(questions.length).toBeLessThanOrEqual(needed + 8)
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
