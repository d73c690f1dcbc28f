import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  GRPOTrainer,
  type RewardFunc,
  type SFTArgs,
  SFTTrainer,
  type TrainEvent,
  VisionLanguageModel,
} from '../../src/index.js'
import { formatReward } from '../../src/reward/index.js'
import { colourRows, temporaryFolder, tinyModel } from '../support/tiny.js'
import { config, preprocessor, tokenizer } from '../support/tiny-model.mjs'

const args = {
  learningRate: 3e-3,
  perDeviceTrainBatchSize: 3,
  maxSteps: 6,
  saveSteps: 1,
  evalSteps: 2,
  systemMessage: false as const,
}
let rows: Awaited<ReturnType<typeof colourRows>>
beforeAll(async () => {
  rows = await colourRows()
})

/** Runs to the end, or until `stopAt` has come. */
async function train(own: SFTArgs, stopAt: Partial<TrainEvent> = {}, evalDataset = rows): Promise<TrainEvent[]> {
  await using model = await tinyModel()
  const trainer = new SFTTrainer({ model, trainDataset: rows, evalDataset, args: { ...args, ...own } })
  const run = new AbortController()
  const events: TrainEvent[] = []
  try {
    for await (const event of trainer.run({ signal: run.signal })) {
      events.push(event)
      if (event.type === stopAt.type && event.step === stopAt.step) run.abort(new Error('stopped'))
    }
  } catch (error) {
    if (!run.signal.aborted) throw error
  }
  return events
}

const steps = (outputDir: string): string[] =>
  readdirSync(join(outputDir, 'checkpoints'))
    .filter((name) => name.startsWith('step-'))
    .sort()
const linesOf = (outputDir: string) =>
  readFileSync(join(outputDir, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((text) => {
      const { type, step, metrics } = JSON.parse(text)
      return { type, step, metrics }
    })

describe('a run that goes on from an older checkpoint of its own', () => {
  it('keeps what it saves, and the newest checkpoint is its own', async () => {
    const outputDir = join(temporaryFolder(), 'run')
    await train({ outputDir, saveTotalLimit: 6 })
    const older = join(outputDir, 'checkpoints', 'step-000002')
    const weights = readFileSync(join(outputDir, 'checkpoints/step-000006/model/model.safetensors'))
    const events = await train({ outputDir, resumeFromCheckpoint: older }, { type: 'checkpoint', step: 4 })
    expect(events[0]).toMatchObject({ type: 'warning', message: expect.stringContaining('superseded-000006') })
    expect(steps(outputDir)).toEqual(['step-000003', 'step-000004'])
    expect(linesOf(outputDir).at(-1)).toMatchObject({ step: 4 })
    await train({ outputDir, resumeFromCheckpoint: 'auto' })
    expect(steps(outputDir)).toEqual(['step-000005', 'step-000006'])
    const again = readFileSync(join(outputDir, 'checkpoints/step-000006/model/model.safetensors'))
    expect(again.equals(weights)).toBe(true)
  })
})

describe('a run never mixes with another', () => {
  it('a new one is refused beside checkpoints, also without their metrics', async () => {
    const outputDir = join(temporaryFolder(), 'run')
    await train({ outputDir, maxSteps: 1 })
    rmSync(join(outputDir, 'metrics.jsonl'))
    await expect(train({ outputDir })).rejects.toMatchObject({ code: 'E_CONFIG' })
    expect(steps(outputDir)).toEqual(['step-000001'])
  })

  it('one that goes on from elsewhere is refused in a folder that holds a run', async () => {
    const [one, two] = [join(temporaryFolder(), 'one'), join(temporaryFolder(), 'two')]
    await train({ outputDir: one })
    await train({ outputDir: two })
    const before = linesOf(two)
    const foreign = join(one, 'checkpoints', 'step-000006')
    await expect(train({ outputDir: two, resumeFromCheckpoint: foreign })).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining(foreign),
    })
    expect(linesOf(two)).toEqual(before)
  })

  it('one that goes on from a finished run elsewhere leaves its evaluation and its checkpoint', async () => {
    const [one, two] = [join(temporaryFolder(), 'one'), join(temporaryFolder(), 'two')]
    await train({ outputDir: one })
    await train({ outputDir: two, resumeFromCheckpoint: join(one, 'checkpoints', 'step-000006') })
    expect(steps(two)).toEqual(['step-000006'])
    expect(linesOf(two)).toEqual(linesOf(one).slice(-1))
  })
})

describe('evaluations', () => {
  it.each([2, 6])('one that was stopped at step %i is done by the run that goes on', async (step) => {
    const [whole, stopped] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'stopped')]
    await train({ outputDir: whole })
    await train({ outputDir: stopped }, { type: 'checkpoint', step })
    expect(linesOf(stopped).at(-1)).toMatchObject({ type: 'step', step })
    await train({ outputDir: stopped, resumeFromCheckpoint: 'auto' })
    expect(linesOf(stopped)).toEqual(linesOf(whole))
    await train({ outputDir: stopped, resumeFromCheckpoint: 'auto' })
    expect(linesOf(stopped)).toEqual(linesOf(whole))
  })

  it.each([0, 1])('one that fails costs no step, with saveSteps %i', async (saveSteps) => {
    const outputDir = join(temporaryFolder(), 'run')
    const broken = [{ ...rows[0]!, images: [rows[0]!.images[0]!.subarray(0, 60)] }]
    await expect(train({ outputDir, saveSteps, evalSteps: 0 }, {}, broken)).rejects.toMatchObject({
      code: 'E_IMAGE_DECODE',
    })
    expect(steps(outputDir).at(-1)).toBe('step-000006')
    await train({ outputDir, resumeFromCheckpoint: 'auto' })
    expect(linesOf(outputDir).at(-1)).toMatchObject({ type: 'eval', step: 6 })
  })
})

describe('a continuation with other numbers is refused, naming what differs:', () => {
  const rewards: RewardFunc[] = [formatReward()]
  async function grpo(outputDir: string, own: object = {}, rewardFuncs = rewards): Promise<void> {
    await using model = await VisionLanguageModel.fromConfig(config, { tokenizer, preprocessor, ...own })
    await new GRPOTrainer({
      model,
      rewardFuncs,
      trainDataset: [{ problem: 'what' }],
      args: {
        outputDir,
        maxSteps: 1,
        promptsPerStep: 1,
        numGenerations: 2,
        maxCompletionLength: 2,
        beta: 0,
        systemMessage: false,
        resumeFromCheckpoint: 'auto',
      },
    }).train()
  }
  const outputDir = join(temporaryFolder(), 'run')
  beforeAll(() => grpo(outputDir))

  it('none with the same', () => expect(grpo(outputDir)).resolves.toBeUndefined())

  it.each([
    ['model.maxPixels', { maxPixels: 1568 }],
    ['model.minPixels', { minPixels: 28 * 28 * 2 }],
    ['model.dtype', { dtype: 'bfloat16' }],
    ['model.alpha', { alpha: 'drop' }],
    ['model.tokenizer', { tokenizer: { ...tokenizer, padding: undefined } }],
  ])('%s', async (name, own) => {
    await expect(grpo(outputDir, own)).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining(`${name}: `),
    })
  })

  it.each([
    ['another reward', [(({ completions }) => completions.map(() => 0)) as RewardFunc]],
    ['one more', [...rewards, ...rewards]],
    ['another option', [formatReward({ style: 'answer' })]],
  ])('%s', async (_, rewardFuncs) => {
    await expect(grpo(outputDir, {}, rewardFuncs)).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('rewards: '),
    })
  })
})

it('a checkpoint is saved when one is asked for', async () => {
  await using model = await tinyModel()
  const outputDir = join(temporaryFolder(), 'run')
  const asked = [false, true, false, false, false, false]
  const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, saveSteps: 0, outputDir } })
  const saved: number[] = []
  for await (const event of trainer.run({ saveRequested: () => asked.shift() ?? false })) {
    if (event.type === 'checkpoint') saved.push(event.step)
  }
  expect(saved).toEqual([2, 6])
})

it('a folder that cannot be made is E_PATH', async () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  for (const outputDir of [file, join(file, 'run')]) {
    await expect(train({ outputDir })).rejects.toMatchObject({ code: 'E_PATH', message: expect.stringContaining(file) })
  }
})

it('metrics that the disk does not take are told once, kept, and written when it does', async () => {
  await using model = await tinyModel()
  const outputDir = join(temporaryFolder(), 'run')
  const metrics = join(outputDir, 'metrics.jsonl')
  const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, outputDir } })
  const codes: string[] = []
  for await (const event of trainer.run()) {
    if (event.type === 'start') mkdirSync(metrics)
    if (event.type === 'warning') codes.push(event.code)
    if (event.type === 'step' && event.step === 4) rmSync(metrics, { recursive: true })
  }
  expect(codes).toEqual(['E_CKPT_SAVE'])
  expect(linesOf(outputDir).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
})

it('metrics that the disk never takes are E_CKPT_SAVE at the end, after the checkpoint', async () => {
  await using model = await tinyModel()
  const outputDir = join(temporaryFolder(), 'run')
  const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, saveSteps: 0, outputDir } })
  const run = async () => {
    for await (const event of trainer.run()) if (event.type === 'start') mkdirSync(join(outputDir, 'metrics.jsonl'))
  }
  await expect(run()).rejects.toMatchObject({ code: 'E_CKPT_SAVE', message: expect.stringContaining('metrics.jsonl') })
  expect(existsSync(join(outputDir, 'checkpoints/step-000006/manifest.json'))).toBe(true)
})

it.each(['float32', 'bfloat16', 'float64'] as const)(
  'a GRPO run in %s goes on beside the same reference',
  async (dtype) => {
    const once = async (outputDir: string, last: number) => {
      await using model = await VisionLanguageModel.fromConfig(config, { seed: 1, tokenizer, preprocessor, dtype })
      const half: RewardFunc = ({ completions }) => completions.map((_, i) => i % 2)
      const lengths = { promptsPerStep: 2, numGenerations: 4, maxCompletionLength: 3 }
      const grpo = { ...lengths, learningRate: 1e-2, beta: 0.1, saveSteps: 1, systemMessage: false as const, outputDir }
      const run = new AbortController()
      const trainer = new GRPOTrainer({
        model,
        rewardFuncs: half,
        trainDataset: [{ problem: 'what' }, { problem: 'is it ?' }],
        args: { ...grpo, maxSteps: 3, resumeFromCheckpoint: 'auto' },
      })
      try {
        for await (const event of trainer.run({ signal: run.signal })) {
          if (event.type === 'checkpoint' && event.step === last) run.abort()
        }
      } catch (error) {
        if (!run.signal.aborted) throw error
      }
      const kept = (name: string) => !/^(timing|perf)/.test(name)
      return linesOf(outputDir).map(({ metrics }) =>
        Object.fromEntries(Object.entries(metrics as object).filter(([name]) => kept(name))),
      )
    }
    const [whole, parts] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'parts')]
    await once(parts, 1)
    expect(await once(parts, 9)).toEqual(await once(whole, 9))
  },
)
