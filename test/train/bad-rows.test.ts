import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { GRPOTrainer, loadDataset, type SFTArgs, SFTTrainer, type TrainEvent } from '../../src/index.js'
import { colourRows, temporaryFolder, tinyModel } from '../support/tiny.js'

const args = {
  learningRate: 3e-3,
  perDeviceTrainBatchSize: 4,
  maxSteps: 6,
  maxLength: 30,
  systemMessage: false as const,
}
let good: Awaited<ReturnType<typeof colourRows>>
let mixed: Record<string, unknown>[]
beforeAll(async () => {
  good = await colourRows()
  const broken = { ...good[0]!, images: [good[0]!.images[0]!.subarray(0, 60)] }
  const long = { problem: 'what '.repeat(40).trim(), answer: 'red' }
  mixed = [broken, ...good.slice(0, 5), { problem: 'is it ?' }, long, ...good.slice(5)]
})

async function train(own: SFTArgs, badRows: 'strict' | 'skip', stopAfter?: number): Promise<TrainEvent[]> {
  await using model = await tinyModel()
  const trainDataset = await loadDataset(mixed, { badRows })
  const trainer = new SFTTrainer({ model, trainDataset, evalDataset: trainDataset, args: { ...args, ...own } })
  const events: TrainEvent[] = []
  const run = new AbortController()
  try {
    for await (const event of trainer.run({ signal: run.signal })) {
      events.push(event)
      if (event.type === 'step' && event.step === stopAfter) run.abort()
    }
  } catch (error) {
    if (!run.signal.aborted) throw error
  }
  return events
}
const metricsOf = (events: TrainEvent[]) => events.flatMap((event) => (event.type === 'step' ? [event.metrics] : []))

describe('rows that turn out bad only when they are used, under badRows: skip,', () => {
  it('are left out, counted, told once each, and the run goes on', async () => {
    const events = await train({}, 'skip')
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
    expect(warnings).toEqual([
      expect.stringMatching(/^1 bad row left out, the first rows\[6\]: no assistant turn/),
      expect.stringMatching(/^1 bad row left out, the first rows\[0\], image 1: /),
    ])
    // 6 steps of 4 rows are two passes over the ten good ones and a part of a third.
    expect(metricsOf(events).at(-1)?.['batch/skipped_rows']).toBeGreaterThanOrEqual(4)
    expect(events.find((event) => event.type === 'eval')?.metrics).toMatchObject({ eval_skipped_rows: 2 })
  })

  it('leave a run that resumes exactly', async () => {
    const outputDir = join(temporaryFolder(), 'run')
    const whole = metricsOf(await train({}, 'skip'))
    const first = metricsOf(await train({ outputDir }, 'skip', 2))
    const second = metricsOf(await train({ outputDir, resumeFromCheckpoint: 'auto' }, 'skip'))
    expect([...first, ...second]).toEqual(whole)
  })
})

it('under badRows: strict rows without a response are refused before the first step, all of them by name', async () => {
  await using model = await tinyModel()
  const trainDataset = [{ problem: 'a' }, ...good, { problem: 'b' }]
  await expect(new SFTTrainer({ model, trainDataset, args }).train()).rejects.toMatchObject({
    code: 'E_DATA_ROW',
    message: expect.stringMatching(/2 bad rows:\n {2}rows\[0\]: no assistant turn.*\n {2}rows\[11\]: /),
  })
})

it('questions that are too long to be evaluated are left out and counted; without any other it is an error', async () => {
  await using model = await tinyModel()
  const long = { problem: 'what '.repeat(20).trim() }
  const evaluated = async (evalDataset: { problem: string }[]) => {
    const outputDir = join(temporaryFolder(), 'run')
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: ({ completions }) => completions.map((text) => text.length),
      trainDataset: [{ problem: 'what' }],
      evalDataset,
      args: {
        outputDir,
        maxSteps: 1,
        promptsPerStep: 1,
        numGenerations: 2,
        maxCompletionLength: 2,
        maxPromptLength: 12,
        beta: 0,
        systemMessage: false,
      },
    })
    await trainer.train()
    const lines = readFileSync(join(outputDir, 'metrics.jsonl'), 'utf8').trim().split('\n')
    return JSON.parse(lines.at(-1) as string)
  }
  expect(await evaluated([long, { problem: 'what' }])).toMatchObject({
    type: 'eval',
    metrics: { 'val/skipped_rows': 1 },
  })
  expect((await evaluated([{ problem: 'what' }])).metrics).not.toHaveProperty('val/skipped_rows')
  await expect(evaluated([long])).rejects.toMatchObject({ code: 'E_TOO_LONG' })
})
