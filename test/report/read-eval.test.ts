import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runBenchmark } from '../../src/eval/run/run.js'
import { writeReport } from '../../src/report/index.js'
import { isEvaluation, readEval } from '../../src/report/read-eval.js'
import { elementsOf } from './parse.js'

let folder: string
let data: string
let output: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'))
  data = join(folder, 'data')
  output = join(folder, 'mathvista')
  await mkdir(data)
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const METADATA = {
  category: 'math-targeted-vqa',
  context: 'geometry diagram',
  grade: 'high school',
  language: 'english',
  skills: ['geometry reasoning', 'algebraic reasoning'],
  source: 'Geometry3K',
  split: 'testmini',
  task: 'geometry problem solving',
}

/** A row whose answer is the second of two choices. */
const record = (pid: number) => ({
  pid: String(pid),
  question: `Find x of ${pid}.`,
  image: `${pid}.png`,
  choices: ['12', '15'],
  unit: null,
  precision: null,
  answer: '15',
  question_type: 'multi_choice',
  answer_type: 'text',
  metadata: METADATA,
  query: `Question: Find x of ${pid}.`,
})

/** An evaluation of one row a response; null leaves the row without one. */
async function evaluate(responses: (string | null)[], imageRoot = data): Promise<void> {
  for (const [index] of responses.entries()) {
    const image = sharp({ create: { width: 800, height: 400 + index, channels: 3, background: '#3366cc' } })
    await image.png().toFile(join(imageRoot, `${index}.png`))
  }
  await writeLines(
    join(data, 'testmini.jsonl'),
    responses.map((_, index) => record(index)),
  )
  const lines = responses.map((response, index) => ({ id: String(index), response, finishReason: 'stop' }))
  await writeLines(
    join(folder, 'answers.jsonl'),
    lines.filter(({ response }) => response !== null),
  )
  await runBenchmark({
    benchmark: 'mathvista',
    data,
    ...(imageRoot === data ? {} : { imageRoot }),
    partial: true,
    responses: join(folder, 'answers.jsonl'),
    judge: 'none',
    outputDir: output,
  })
}

const writeLines = (file: string, lines: readonly object[]) =>
  writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

const pictures = (page: string) => elementsOf(page).filter(({ name }) => name === 'img')

describe('readEval', () => {
  it('joins data, responses and scores in the order of the data', async () => {
    await evaluate(['15', '12', 'I cannot tell', null])
    const { name, report, rows } = await readEval(output)
    expect(name).toBe('answers.jsonl')
    expect(report.subset).toBe(true)
    expect(rows.map(({ id, response, correct }) => [id, response, correct])).toEqual([
      ['0', '15', true],
      ['1', '12', false],
      ['2', 'I cannot tell', null],
      ['3', null, false],
    ])
    expect(rows[0]).toMatchObject({ question: 'Find x of 0.\n(A) 12\n(B) 15', gold: '15', extraction: '15', images: 1 })
    expect(rows[0]?.groups).toMatchObject({ skills: METADATA.skills, source: 'Geometry3K' })
  })

  it('shrinks pictures to 320 pixels', async () => {
    await evaluate(['15'])
    const { rows } = await readEval(output)
    const bytes = Buffer.from((rows[0]?.thumbnail ?? '').replace('data:image/webp;base64,', ''), 'base64')
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 320, height: 160 })
  })

  it('finds pictures in a root of their own, and after everything has moved together', async () => {
    const pictures = join(folder, 'pictures')
    await mkdir(pictures)
    await evaluate(['15'], pictures)
    const moved = `${folder}-moved`
    await rename(folder, moved)
    const { rows } = await readEval(join(moved, 'mathvista'))
    await rename(moved, folder)
    expect(rows[0]?.thumbnail).toMatch(/^data:image/)
  })

  it('does without pictures where the data is gone, or another one, and says so', async () => {
    await evaluate(['15'])
    await writeLines(join(data, 'testmini.jsonl'), [{ ...record(0), question: 'Find y.' }])
    const changed = await readEval(output)
    expect(changed.rows[0]?.thumbnail).toBeUndefined()
    expect(changed.imageNote).toMatch(/has changed since/)
    await rm(data, { recursive: true })
    const gone = await readEval(output)
    expect(gone.rows).toHaveLength(1)
    expect(gone.imageNote).toMatch(/Images are not shown: the data cannot be read/)
  })

  it('counts pictures that cannot be read', async () => {
    await evaluate(['15', '12'])
    await writeFile(join(data, '1.png'), 'no picture')
    const { rows, imageNote } = await readEval(output)
    expect(rows.map(({ thumbnail }) => thumbnail !== undefined)).toEqual([true, false])
    expect(imageNote).toMatch(/^1 image/)
  })

  it('refuses an evaluation that was not scored', async () => {
    await evaluate(['15'])
    await rm(join(output, 'report.json'))
    await expect(readEval(output)).rejects.toMatchObject({ code: 'E_PATH' })
  })
})

describe('isEvaluation', () => {
  it('tells evaluations from runs and from nothing', async () => {
    expect(await isEvaluation(folder)).toBe(false)
    await writeFile(join(folder, 'run.json'), JSON.stringify({ stage: 'grpo', maxSteps: 3 }))
    expect(await isEvaluation(folder)).toBe(false)
    await evaluate(['15'])
    expect(await isEvaluation(output)).toBe(true)
  })
})

describe('writeReport', () => {
  it('writes the page of an evaluation into its folder', async () => {
    await evaluate(['15', 'I cannot tell <script>alert(1)</script>'])
    const file = await writeReport(output)
    expect(file).toBe(join(output, 'report.html'))
    const page = await readFile(file, 'utf8')
    expect(page).toContain('<title>MathVista: answers.jsonl</title>')
    expect(page).toContain('&lt;script&gt;alert(1)')
    expect(pictures(page)).toHaveLength(2)
    expect(page).toContain('A subset:')
  })
})
