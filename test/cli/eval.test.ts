// Benchmarks from the compiled command line: a real model, real files, processes that are killed.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { savedModel } from '../eval/fixtures/plain-data.js'
import { publishedParquet, recordedResponses } from '../eval/fixtures/published.js'
import { picture, temporaryFolder } from '../support/tiny.js'
import { eventsOf, heard, runCli, startCli } from './run-cli.js'

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
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

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

/** A run that takes some seconds: this preset makes large images. */
const slow = (output: string, ...more: string[]) => [
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
    const whole = await cli(slow('whole'))
    expect([whole.code, rowIds(whole.stdout).sort()]).toEqual([0, [...allIds].sort()])

    const generated: string[] = []
    for (const more of [1, 4]) {
      const before = existsSync(join(folder, 'killed/rows.jsonl')) ? stored('killed').length : 0
      const run = startCli(slow('killed'), { cwd: folder })
      await heard(run, `"done":${before + more},"total":${rows},"promptTokens"`)
      run.child.kill('SIGKILL')
      const { stdout } = await run.ended
      // What the process said was on the disk before; a row that it wrote and had no time to tell is kept as well.
      const kept = stored('killed').map(({ id }) => id)
      expect(kept).toEqual(expect.arrayContaining(rowIds(stdout)))
      expect(kept.length).toBeLessThan(rows)
      for (const id of rowIds(stdout)) expect(generated).not.toContain(id)
      generated.splice(0, generated.length, ...kept)
    }
    const last = await cli(slow('killed'))
    expect(last.code).toBe(0)
    expect(eventsOf(last.stdout)[0]).toMatchObject({ type: 'start', rows, done: generated.length })
    expect([...generated, ...rowIds(last.stdout)].sort()).toEqual([...allIds].sort())
    expect(said('killed')).toEqual(said('whole'))
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with exit code %i and keeps what it has', async (signal, exit) => {
    const run = startCli(slow(signal), { cwd: folder })
    await heard(run, '"type":"row"')
    run.child.kill(signal)
    const { code, stdout } = await run.ended
    expect(code).toBe(exit)
    expect(eventsOf(stdout).at(-1)).toEqual({ type: 'interrupted', signal })
    expect(stored(signal).map(({ id }) => id)).toEqual(rowIds(stdout))
  })

  it('tells rows, tokens a second and the time left', async () => {
    const words = slow('told', '--limit', '4').filter((word) => word !== '--json')
    const { code, stdout, stderr } = await cli(words)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^mathvision test, preset vlmevalkit: 4 rows$/m)
    expect(stderr).toMatch(/^images checked 4\/4$/m)
    expect(stderr).toMatch(/^rows 2\/4 · \S+ tokens\/s · \S+ s left$/m)
    expect(stdout).toMatch(/^model model · temperature 0\.01, seed 0, at most 5 tokens · \S+ s, \S+ tokens\/s$/m)
  })
})

describe('coldstart eval score', () => {
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
