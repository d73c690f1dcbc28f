import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeReport } from '../../src/report/index.js'
import { readRun } from '../../src/report/read-run.js'
import { renderRunReport } from '../../src/report/run-report.js'
import { fakeStudy } from './fake-study.js'
import { elementsOf } from './parse.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const line = (step: number, metrics: Record<string, number | null>, type = 'step') =>
  `${JSON.stringify({ type, stage: 'grpo', step, time: '2026-11-24T11:00:00Z', tokens: 100, seconds: 2, metrics })}\n`

async function writeRun(completion = 'so \\boxed{ 4 }'): Promise<void> {
  const metrics = [1, 2, 3].map((step) => line(step, { 'reward/overall': step / 4, 'actor/grad_norm': 0.5 / step }))
  await writeFile(join(folder, 'metrics.jsonl'), [...metrics, line(3, { 'val/reward_score': 0.75 }, 'eval')].join(''))
  await writeFile(join(folder, 'run.json'), JSON.stringify({ coldstart: '1.2.3', stage: 'grpo', maxSteps: 3 }))
  await writeFile(join(folder, 'config.resolved.yaml'), 'learningRate: 0.0001\n')
  await mkdir(join(folder, 'samples'))
  const sample = (reward: number) =>
    `${JSON.stringify({ row: '7', sample: 0, answer: '4', completion, tokens: 5, finishReason: 'stop', reward })}\n`
  await writeFile(join(folder, 'samples/step-000001.jsonl'), sample(0))
  await writeFile(join(folder, 'samples/step-000002.jsonl'), sample(0.5))
  await writeFile(join(folder, 'samples/step-000003.jsonl'), sample(1))
}

describe('readRun', () => {
  it('reads metrics, settings, and the samples of the first and the last step', async () => {
    await writeRun()
    const run = await readRun(folder)
    expect(run.stage).toBe('grpo')
    expect(run.steps.map(({ step, metrics }) => [step, metrics['reward/overall']])).toEqual([
      [1, 0.25],
      [2, 0.5],
      [3, 0.75],
    ])
    expect(run.evals).toHaveLength(1)
    expect(run.samples.map(({ step, lines }) => [step, lines[0]?.reward])).toEqual([
      [1, 0],
      [3, 1],
    ])
  })

  it('leaves out a last line that is not whole yet', async () => {
    await writeFile(join(folder, 'metrics.jsonl'), `${line(1, { loss: 1 })}{"type":"step","st`)
    expect((await readRun(folder)).steps).toHaveLength(1)
  })

  it('takes a null for a number that was not finite', async () => {
    await writeFile(join(folder, 'metrics.jsonl'), line(1, { loss: null }))
    expect((await readRun(folder)).steps[0]?.metrics.loss).toBeNaN()
  })

  it('names the line that is no JSON', async () => {
    await writeFile(join(folder, 'metrics.jsonl'), `${line(1, { loss: 1 })}oops\n`)
    await expect(readRun(folder)).rejects.toMatchObject({
      code: 'E_DATA_FORMAT',
      message: expect.stringContaining('metrics.jsonl:2'),
    })
  })

  it('refuses a folder that is no run', async () => {
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'E_PATH' })
  })
})

describe('renderRunReport', () => {
  it('has a curve for each metric it knows, samples with their rewards, and every metric in the table', async () => {
    await writeRun()
    const page = renderRunReport(await readRun(folder))
    const titles = elementsOf(page).flatMap(({ attributes }) =>
      attributes.role === 'img' ? [attributes['aria-label']] : [],
    )
    expect(titles).toEqual(['Reward', 'Gradient norm', 'Evaluation'])
    expect(page).toContain('reward 1')
    expect(page).toContain('actor/grad_norm')
    expect(page).toContain('learningRate: 0.0001')
    expect(page).toContain('1.2.3')
  })

  it('shows markup in a completion as text', async () => {
    await writeRun('<script>alert(1)</script>')
    const page = renderRunReport(await readRun(folder))
    expect(elementsOf(page).filter(({ name }) => name === 'script')).toEqual([])
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  it('cuts a completion of a million characters and says so', async () => {
    await writeRun('x'.repeat(1_000_000))
    const page = renderRunReport(await readRun(folder))
    expect(page.length).toBeLessThan(100_000)
    expect(page).toContain('996,000 characters more')
  })

  it('shows two completions of each row, and leaves out curves that are always 0', async () => {
    await writeRun()
    const completions = ['a1', 'a2', 'a3', 'b1'].map(
      (name) => `${JSON.stringify({ row: name[0], completion: `${name}!` })}\n`,
    )
    await writeFile(join(folder, 'samples/step-000003.jsonl'), completions.join(''))
    await writeFile(join(folder, 'metrics.jsonl'), line(1, { 'actor/ppo_kl': 0, 'actor/entropy': 0.1 }))
    const page = renderRunReport(await readRun(folder))
    expect(['a1!', 'a2!', 'a3!', 'b1!'].map((text) => page.includes(text))).toEqual([true, true, false, true])
    expect(page).toContain('Entropy')
    expect(page).not.toContain('KL to the sampling policy')
  })

  it('stands before the first step is written', async () => {
    await writeFile(join(folder, 'metrics.jsonl'), '')
    expect(renderRunReport(await readRun(folder))).toContain('No step was written yet.')
  })
})

describe('writeReport', () => {
  it('writes the page of a run into its folder', async () => {
    await writeRun()
    const file = await writeReport(folder)
    expect(file).toBe(join(folder, 'report.html'))
    expect(await readFile(file, 'utf8')).toBe(renderRunReport(await readRun(folder)))
  })

  it('writes the page of a study where there is a study.json', async () => {
    await writeFile(join(folder, 'study.json'), JSON.stringify(fakeStudy(1)))
    expect(await readFile(await writeReport(folder), 'utf8')).toContain('Cold start in miniature')
  })

  it('refuses a study.json it does not know', async () => {
    await writeFile(join(folder, 'study.json'), '{"format":99}')
    await expect(writeReport(folder)).rejects.toMatchObject({ code: 'E_DATA_FORMAT' })
  })
})

it('a page that cannot be written is E_PATH naming the file', async () => {
  await writeRun()
  await mkdir(join(folder, 'report.html.part'))
  await expect(writeReport(folder)).rejects.toMatchObject({
    code: 'E_PATH',
    message: `${join(folder, 'report.html')}: a folder is where the file should be`,
  })
})
