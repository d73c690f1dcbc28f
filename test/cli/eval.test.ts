// Benchmarks from the compiled command line: a real model, real files, processes that are killed.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { savedModel } from '../eval/fixtures/plain-data.js'
import { publishedParquet, recordedResponses } from '../eval/fixtures/published.js'
import { gate, hangs, type JudgeServer, judgeServer, says, saysWhen } from '../support/judge-server.js'
import { picture, temporaryFolder } from '../support/tiny.js'
import { eventsOf, runCli, startCli } from './run-cli.js'

const rows = 14
let folder: string

beforeAll(async () => {
  folder = temporaryFolder()
  await savedModel(join(folder, 'model'))
  await publishedParquet('mathvista', join(folder, 'MathVista'))
  recordedResponses('mathvista', join(folder, 'recorded.jsonl'))
  mkdirSync(join(folder, 'MATH-V'))
  writeFileSync(join(folder, 'MATH-V', 'a.png'), await picture('teal'))
  const lines = Array.from({ length: rows }, (_, id) =>
    JSON.stringify({
      id: `${id}`,
      question: 'what ?',
      options: [],
      image: 'a.png',
      answer: '7',
      level: 1,
      subject: 'counting',
    }),
  )
  writeFileSync(join(folder, 'MATH-V', 'test.jsonl'), lines.join('\n'))
  writeFileSync(join(folder, 'signals-itself.mjs'), signalsItself)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A process that signals itself once it has said a text: from outside, the signal may come when it has ended long ago. */
const signalsItself = `
const { write } = process.stdout
process.stdout.write = function (text, ...more) {
  const taken = write.call(this, text, ...more)
  if (String(text).includes(process.env.SIGNAL_AFTER)) process.kill(process.pid, process.env.SIGNAL)
  return taken
}`
const signalled = (words: string[], signal: string, after: string) =>
  runCli(words, {
    cwd: folder,
    env: { NODE_OPTIONS: `--import ${join(folder, 'signals-itself.mjs')}`, SIGNAL: signal, SIGNAL_AFTER: after },
  })

const cli = (words: string[]) => runCli(words, { cwd: folder })
const recorded = (...more: string[]) => [
  'eval',
  '--benchmark',
  'mathvista',
  '--data',
  'MathVista',
  '--partial',
  '--responses',
  'recorded.jsonl',
  ...more,
]

const byModel = (output: string, ...more: string[]) => [
  ...[
    'eval',
    '--benchmark',
    'mathvision',
    '--data',
    'MATH-V',
    '--partial',
    '--preset',
    'vlmevalkit',
    '--model',
    'model',
  ],
  ...['--set', 'benchmark.batchSize=2', '--set', 'benchmark.maxNewTokens=5', '--output-dir', output, '--json', ...more],
]
const rowIds = (stdout: string) => eventsOf(stdout).flatMap((event) => (event.type === 'row' ? [String(event.id)] : []))
const stored = (output: string) =>
  readFileSync(join(folder, output, 'rows.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { id: string; response: string })
const said = (output: string) => stored(output).map(({ id, response }) => [id, response])
const allIds = Array.from({ length: rows }, (_, id) => `${id}`)

describe('coldstart eval --benchmark', () => {
  it('prints protocol, score with its interval, counts and breakdowns, and writes the folder it names', async () => {
    const { code, stdout, stderr } = await cli(recorded())
    expect(stderr).toContain('mathvista: folder runs/mathvista-official-recorded')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^mathvista testmini · preset official, version \d+ · judge rules/)
    expect(stdout).toMatch(/^accuracy \(rules\) 50\.0 % \(95 % interval 15\.0 % to 85\.0 %\): 2 of 4 right$/m)
    expect(stdout).toMatch(/^4 rows: 0 unjudged, \d without an answer, 0 without a response$/m)
    expect(stdout).toMatch(/^subset: 4 of 1000 rows; not a score of the benchmark$/m)
    expect(stdout).toMatch(/^judged by rules: not comparable with scores of a judge model$/m)
    expect(stdout).toMatch(/^question_type\n {2}free_form +\S+ +1 of 3\n {2}multi_choice +\S+ +1 of 1$/m)
    for (const file of ['run.json', 'data.jsonl', 'rows.jsonl', 'scores.jsonl', 'report.json', 'report.html']) {
      expect(existsSync(join(folder, 'runs/mathvista-official-recorded', file))).toBe(true)
    }
  })

  it('takes the same from YAML, and --set for the rest', async () => {
    writeFileSync(
      join(folder, 'bench.yaml'),
      'benchmark: { name: mathvista, data: MathVista, partial: true, responses: recorded.jsonl, limit: 2 }\noutputDir: from-yaml\n',
    )
    const { code, stdout } = await cli(['eval', 'bench.yaml', '--set', 'benchmark.options.legacyInt=true', '--json'])
    expect(code).toBe(0)
    expect(eventsOf(stdout).at(-1)).toMatchObject({
      type: 'result',
      protocol: { options: { legacyInt: true } },
      rows: 2,
      dataset: { answered: 2 },
    })
  })

  it.each([
    [
      'an unknown key',
      'benchmark: { name: mathvista, data: d, limt: 3 }',
      /bench2\.yaml:1:40: unknown key benchmark\.limt; did you mean limit\?/,
    ],
    ['an unknown benchmark', 'benchmark: { name: mathvisto, data: d }', /benchmark\.name/],
    ['a key of data sets', 'benchmark: { name: mathvista, data: d }\nscore: accuracy', /unknown key score/],
    ['a judge that is none', 'benchmark: { name: mathvista, data: d, judge: gpt }', /benchmark\.judge/],
  ])('%s in YAML is exit code 2 with its place', async (_, text, message) => {
    writeFileSync(join(folder, 'bench2.yaml'), text)
    const { code, stderr } = await cli(['eval', 'bench2.yaml'])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it.each([
    [['--judge-model', 'm'], /a judge's model without its endpoint/],
    [['--judge', 'http://127.0.0.1:1/v1'], /the model to ask for at the endpoint is missing/],
    [['--preset', 'ours'], /Allowed choices are official, paper, vlmevalkit/],
    [['--limit', '0'], /Expected a number of at least 1/],
    [['--model', 'model'], /both model and responses given/],
    [['--set', 'benchmark.options.cot=true'], /no option "cot"/],
  ])('%j is exit code 2', async (words, message) => {
    const { code, stderr } = await cli(recorded(...words))
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('another number of rows than published is exit code 3, with the way out', async () => {
    const words = recorded().filter((word) => word !== '--partial')
    const { code, stderr } = await cli(words)
    expect(code).toBe(3)
    expect(stderr).toMatch(/E_DATA_FORMAT: MathVista: 4 rows; split testmini of mathvista has 1000/)
    expect(stderr).toMatch(/--partial/)
  })

  it('killed again and again, it generates no row twice and ends as an unbroken run does', async () => {
    const whole = await cli(byModel('whole'))
    expect([whole.code, rowIds(whole.stdout).sort()]).toEqual([0, [...allIds].sort()])

    const generated: string[] = []
    for (const more of [1, 4]) {
      const before = existsSync(join(folder, 'killed/rows.jsonl')) ? stored('killed').length : 0
      const told = `"done":${before + more},"total":${rows},"promptTokens"`
      const { code, stdout } = await signalled(byModel('killed'), 'SIGKILL', told)
      expect(code).toBeNull()
      // What the process said was on the disk before; a row that it wrote and had no time to tell is kept as well.
      const kept = stored('killed').map(({ id }) => id)
      expect(kept).toEqual(expect.arrayContaining(rowIds(stdout)))
      expect(kept.length).toBeLessThan(rows)
      for (const id of rowIds(stdout)) expect(generated).not.toContain(id)
      generated.splice(0, generated.length, ...kept)
    }
    const last = await cli(byModel('killed'))
    expect(last.code).toBe(0)
    expect(eventsOf(last.stdout)[0]).toMatchObject({ type: 'start', rows, done: generated.length })
    expect([...generated, ...rowIds(last.stdout)].sort()).toEqual([...allIds].sort())
    expect(said('killed')).toEqual(said('whole'))
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with exit code %i and keeps what it has', async (signal, exit) => {
    const { code, stdout } = await signalled(byModel(signal), signal, `"done":1,"total":${rows},"promptTokens"`)
    expect(code).toBe(exit)
    expect(eventsOf(stdout).at(-1)).toEqual({ type: 'interrupted', signal })
    expect(stored(signal).map(({ id }) => id)).toEqual(rowIds(stdout))
  })

  it.each([
    ['--judge', 'example.org?api_key=abc-123-secret'],
    ['--set', 'benchmark.judge=example.org?api_key=abc-123-secret'],
    ['--judge', 'http://example.org/v1?api_key=abc-123-secret', '--judge-model', 'm'],
    ['--judge', 'http://127.0.0.1:1/v1', '--judge-model', 'm', '--set', 'benchmark.judgeApiKeyEnv=abc-123-secret'],
  ])('a key in the wrong place is exit code 2 and is not repeated: %s %s', async (...words) => {
    const { code, stdout, stderr } = await cli(recorded(...words))
    expect(code).toBe(2)
    expect(stderr).toMatch(/E_CONFIG/)
    expect(stdout + stderr).not.toContain('secret')
  })

  it('data with more rows than published are marked as another data set', async () => {
    const text = JSON.stringify({ problem: 'x?', answer: '1', image: 'a.png' })
    writeFileSync(join(folder, 'many.jsonl'), Array.from({ length: 602 }, () => text).join('\n'))
    const words = [
      'eval',
      '--benchmark',
      'geometry3k',
      '--data',
      'many.jsonl',
      '--partial',
      '--responses',
      'none.jsonl',
    ]
    writeFileSync(join(folder, 'none.jsonl'), '')
    const { code, stdout, stderr } = await cli(words)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^other data: 602 rows, where the published split has 601; not a score of the benchmark$/m)
    expect(stderr).toMatch(/^geometry3k test, preset paper: 602 rows$/m)
  })

  it('tells rows, tokens a second and the time left', async () => {
    const words = byModel('told', '--limit', '4').filter((word) => word !== '--json')
    const { code, stdout, stderr } = await cli(words)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^mathvision test, preset vlmevalkit: 4 rows$/m)
    expect(stderr).toMatch(/^images checked 4\/4$/m)
    expect(stderr).toMatch(/^rows 2\/4 · \S+ tokens\/s · \S+ s left$/m)
    expect(stdout).toMatch(/^model model · temperature 0\.01, seed 0, at most 5 tokens · \S+ s, \S+ tokens\/s$/m)
  })
})

/** Words for a judge that every row is put to. */
const judgedBy = ({ baseUrl }: JudgeServer) => ['--preset', 'paper', '--judge', baseUrl, '--judge-model', 'm']
const replies = (output: string) => readFileSync(join(folder, output, 'judge.jsonl'), 'utf8').split('\n').length - 1

describe('a signal while a judge is asked', () => {
  it('waits for the replies under way and stores them: the same command asks none of them again', async () => {
    const { opened, open } = gate()
    const server = await judgeServer(() => saysWhen(opened, 'Yes'))
    const words = recorded(...judgedBy(server), '--output-dir', 'interrupted')
    const run = startCli(words, { cwd: folder })
    await expect.poll(() => server.asked.length, { timeout: 60_000 }).toBe(4)
    run.child.kill('SIGINT')
    await expect.poll(() => run.said.stderr, { timeout: 60_000 }).toMatch(/stopping when replies of the judge/)
    open()
    expect((await run.ended).code).toBe(130)
    expect(replies('interrupted')).toBe(4)
    expect((await cli(words)).stdout).toMatch(/: 4 of 4 right$/m)
    expect(server.asked).toHaveLength(4)
    await server.close()
  })

  it('and a second one ends at once', async () => {
    const server = await judgeServer(() => hangs())
    const run = startCli(recorded(...judgedBy(server), '--output-dir', 'twice'), { cwd: folder })
    await expect.poll(() => server.asked.length, { timeout: 60_000 }).toBe(4)
    run.child.kill('SIGINT')
    await expect.poll(() => run.said.stderr, { timeout: 60_000 }).toMatch(/stopping when replies of the judge/)
    run.child.kill('SIGTERM')
    expect((await run.ended).code).toBe(143)
    expect(existsSync(join(folder, 'twice/judge.jsonl'))).toBe(false)
    await server.close()
  })
})

describe('coldstart eval score', () => {
  it('takes what eval takes about a judge: --set, or the same file', async () => {
    const server = await judgeServer(() => says('Yes'))
    await cli(recorded('--preset', 'paper', '--output-dir', 'keyed'))
    const env = { MY_KEY: 'my-judge-key' }
    const score = (...words: string[]) => runCli(['eval', 'score', 'keyed', ...words], { cwd: folder, env })
    const flags = ['--judge', server.baseUrl, '--judge-model', 'one', '--set', 'benchmark.judgeApiKeyEnv=MY_KEY']
    expect(await score(...flags)).toMatchObject({ code: 0, stdout: expect.stringMatching(/ · judge one · /) })
    const judge = `judge: ${JSON.stringify(server.baseUrl)}, judgeModel: two, judgeApiKeyEnv: MY_KEY, judgeConcurrency: 1`
    writeFileSync(join(folder, 'judge.yaml'), `benchmark: { name: mathvista, data: MathVista, ${judge} }\n`)
    server.mostInFlight = 0
    expect(await score('judge.yaml')).toMatchObject({ code: 0, stdout: expect.stringMatching(/ · judge two · /) })
    expect(server.mostInFlight).toBe(1)
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(Array(8).fill('Bearer my-judge-key'))
    const other = await score('--set', 'benchmark.limit=2')
    expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/sets only keys of the judge/) })
    await server.close()
  })

  it('scores the folder again without data or model', async () => {
    await cli(recorded('--output-dir', 'again'))
    const { code, stdout } = await cli(['eval', 'score', 'again', '--judge', 'none'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/judge none/)
    expect(stdout).toMatch(/^incomplete: more than 1 % of the rows are unjudged/m)
  })

  it('a folder that is no evaluation is exit code 3', async () => {
    expect(await cli(['eval', 'score', 'MathVista'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('not the folder of an evaluation'),
    })
  })
})

describe('coldstart eval compare', () => {
  it('prints the difference, its interval and p value, and where they differ', async () => {
    writeFileSync(
      join(folder, 'other.jsonl'),
      ['12 cm', '7', '2.5', '[1, 2]'].map((response, i) => JSON.stringify({ id: `${i + 1}`, response })).join('\n'),
    )
    await cli(recorded('--output-dir', 'first'))
    await cli([...recorded('--output-dir', 'second'), '--responses', 'other.jsonl'])
    const { code, stdout } = await cli(['eval', 'compare', 'first', 'second'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^A {2}recorded\.jsonl \(first\): accuracy \(rules\) 50\.0 % /m)
    expect(stdout).toMatch(/^B − A \+25\.0 points of accuracy over 4 rows \(95 % interval −\d+\.\d to \+\d+\.\d\)$/m)
    expect(stdout).toMatch(/^right in both 1, only in A 1, only in B 2, in neither 0; McNemar p = 1$/m)
    const json = await cli(['eval', 'compare', 'first', 'second', '--json'])
    expect(eventsOf(json.stdout)).toEqual([
      expect.objectContaining({ type: 'result', onlyAIds: ['1'], onlyBIds: ['3', '4'] }),
    ])
  })

  it('refuses an incomplete side; --incomplete leaves out the rows without a verdict, and says so', async () => {
    await cli(recorded('--judge', 'none', '--output-dir', 'unjudged'))
    const refused = await cli(['eval', 'compare', 'unjudged', 'unjudged'])
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/unjudged is incomplete: 1 of 4 rows/) })
    const { code, stdout } = await cli(['eval', 'compare', 'unjudged', 'unjudged', '--incomplete'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^A .*, 1 unjudged, incomplete$/m)
    expect(stdout).toMatch(/^left out for want of a verdict in A or in B: 1$/m)
    expect(stdout).toMatch(/ points of accuracy over 3 rows /)
  })

  it('refuses other protocols, with exit code 3 and what differs', async () => {
    await cli(recorded('--output-dir', 'official'))
    await cli(recorded('--output-dir', 'paper', '--preset', 'paper'))
    const { code, stderr } = await cli(['eval', 'compare', 'official', 'paper'])
    expect(code).toBe(3)
    expect(stderr).toMatch(/protocol\.preset: "official" in the first, "paper" in the second/)
  })
})

it('the help of eval explains benchmarks, and of its parts their own flags', async () => {
  const { stdout } = await cli(['eval', '--help'])
  expect(stdout).toContain('coldstart eval --benchmark mathvista --data MathVista --model runs/grpo/model')
  expect(stdout).toMatch(/^ {2}score /m)
  expect(stdout).toMatch(/^ {2}compare /m)
  expect((await cli(['eval', 'score', '--help'])).stdout).toContain('--judge-max-calls')
})
