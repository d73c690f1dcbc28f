import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type SFTArgs, SFTTrainer, type TrainEvent, VisionLanguageModel } from '../../src/index.js'
import { colourNames, colourRows, picture, temporaryFolder, tinyModel } from '../support/tiny.js'

const question = (image: Buffer) => [
  {
    role: 'user' as const,
    content: [
      { type: 'image' as const, image },
      { type: 'text' as const, text: ' what is it ?' },
    ],
  },
]
const args = {
  learningRate: 3e-3,
  lrSchedulerType: 'constant' as const,
  perDeviceTrainBatchSize: 10,
  systemMessage: false as const,
}
let rows: Awaited<ReturnType<typeof colourRows>>

beforeAll(async () => {
  rows = await colourRows()
})

describe('SFTTrainer', () => {
  it('memorises ten questions about pictures, and the saved model answers them too', async () => {
    await using model = await tinyModel()
    const { history } = await new SFTTrainer({ model, trainDataset: rows, args: { ...args, maxSteps: 120 } }).train()
    expect(history.at(-1)?.metrics.loss).toBeLessThan(0.05)
    const folder = temporaryFolder()
    await model.savePretrained(folder)
    await using loaded = await VisionLanguageModel.fromPretrained(folder)
    for (const trained of [model, loaded]) {
      const answers = await trained.generate(
        rows.map((row) => question(row.images[0] as Buffer)),
        { temperature: 0, maxNewTokens: 4, systemMessage: false },
      )
      expect(answers.map(([completion]) => completion?.text)).toEqual(colourNames)
      expect(answers.every(([completion]) => completion?.finishReason === 'stop')).toBe(true)
    }
  })

  it('lowers the loss in bfloat16 as in float32', async () => {
    await using model = await tinyModel({ dtype: 'bfloat16' })
    const { history } = await new SFTTrainer({ model, trainDataset: rows, args: { ...args, maxSteps: 120 } }).train()
    expect(history.at(-1)?.metrics.loss).toBeLessThan(0.1)
  })

  it('gives the same numbers for the same seed and others for another', async () => {
    const losses = async (seed: number) => {
      await using model = await tinyModel()
      const { history } = await new SFTTrainer({
        model,
        trainDataset: rows,
        args: { ...args, perDeviceTrainBatchSize: 4, maxSteps: 5, seed },
      }).train()
      return history.map(({ metrics }) => metrics.loss)
    }
    const first = await losses(1)
    expect(await losses(1)).toEqual(first)
    expect(await losses(2)).not.toEqual(first)
  })

  it('leaves frozen parameters alone and reports what it trains', async () => {
    await using model = await tinyModel()
    const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, maxSteps: 1, freeze: ['visual.*'] } })
    await trainer.train()
    const counts = model.numParameters()
    expect(counts.vision.trainable).toBe(0)
    expect(counts.merger.trainable).toBe(0)
    expect(counts.language.trainable).toBe(counts.language.total)
  })

  it('refuses a freeze pattern that matches nothing', async () => {
    await using model = await tinyModel()
    const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, maxSteps: 1, freeze: ['visuel.*'] } })
    await expect(trainer.train()).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('visuel.*'),
    })
  })

  it('names every argument it does not know or that is out of range', async () => {
    await using model = await tinyModel()
    const make = () =>
      new SFTTrainer({
        model,
        trainDataset: rows,
        args: { learningRate: -1, warmupStep: 3 } as unknown as { learningRate: number },
      })
    const message =
      'args.learningRate: expected number to be >=0, got -1; args: unknown key warmupStep; did you mean warmupSteps?'
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG', message }))
  })

  it('names the row whose images and placeholders differ', async () => {
    await using model = await tinyModel()
    const trainDataset = [...rows.slice(0, 2), { images: [], problem: '<image> what is it ?', answer: 'red' }]
    await expect(new SFTTrainer({ model, trainDataset, args }).train()).rejects.toMatchObject({
      message: expect.stringContaining('rows[2]'),
    })
  })

  it('names the row whose image is broken', async () => {
    await using model = await tinyModel()
    const broken = (await picture('red')).subarray(0, 60)
    const trainDataset = [{ images: [broken], problem: '<image> what is it ?', answer: 'red' }]
    await expect(new SFTTrainer({ model, trainDataset, args: { ...args, maxSteps: 1 } }).train()).rejects.toMatchObject(
      {
        code: 'E_IMAGE_DECODE',
        message: expect.stringContaining('rows[0]'),
      },
    )
  })

  it('stops at a row beyond maxLength instead of cutting it', async () => {
    await using model = await tinyModel()
    const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, maxSteps: 1, maxLength: 8 } })
    await expect(trainer.train()).rejects.toMatchObject({ code: 'E_TOO_LONG' })
  })

  it('never lets a non-finite number reach the weights, and stops after maxSkippedUpdates', async () => {
    await using model = await tinyModel()
    const trainer = new SFTTrainer({ model, trainDataset: rows, args: { ...args, learningRate: 1e30, maxSteps: 50 } })
    await expect(trainer.train()).rejects.toMatchObject({ code: 'E_DIVERGED' })
  })

  it('that diverges names the rows at fault and leaves what is known of them', async () => {
    await using model = await tinyModel()
    const outputDir = join(temporaryFolder(), 'run')
    const trainer = new SFTTrainer({
      model,
      trainDataset: rows,
      args: { ...args, outputDir, learningRate: 1e30, maxSteps: 50 },
    })
    await expect(trainer.train()).rejects.toMatchObject({
      code: 'E_DIVERGED',
      message: expect.stringMatching(/^step \d+: .*; not finite by itself: rows\[\d\], .* and 7 more rows; .*diverged/),
    })
    const [file] = readdirSync(join(outputDir, 'diverged'))
    const lines = readFileSync(join(outputDir, 'diverged', file as string), 'utf8')
      .trim()
      .split('\n')
    expect(lines).toHaveLength(10)
    expect(JSON.parse(lines[0] as string)).toMatchObject({ isAtFault: true, loss: 'NaN', ids: expect.any(Array) })
  })

  it('evaluates to the mean over all target tokens, whatever the batch size and the aggregation of the loss', async () => {
    // Answers of different lengths, so that a mean of means is another number.
    const evalDataset = rows.map((row, i) => ({
      ...row,
      answer: Array(1 + (i % 4))
        .fill(row.answer)
        .join(' '),
    }))
    await using model = await tinyModel()
    await new SFTTrainer({ model, trainDataset: rows, args: { ...args, maxSteps: 20 } }).train()
    const evaluated = async (own: SFTArgs) => {
      const settings = { ...args, learningRate: 0, maxSteps: 1, ...own }
      const trainer = new SFTTrainer({ model, trainDataset: rows, evalDataset, args: settings })
      let loss: number | undefined
      for await (const event of trainer.run()) if (event.type === 'eval') loss = event.metrics.eval_loss
      return loss
    }
    const grouped = { lossAggregation: 'group-token-mean', aggregationGroup: 1 } as const
    const expected = await evaluated({})
    expect(expected).toBeDefined()
    for (const perDeviceTrainBatchSize of [2, 3, 10]) {
      for (const own of [{}, grouped]) {
        expect(await evaluated({ ...own, perDeviceTrainBatchSize })).toBeCloseTo(expected!, 4)
      }
    }
  })

  it.each([
    ['minLrRatio', { minLrRatio: 0.5 }],
    ['decay', { decay: 'all', weightDecay: 0 }],
    ['aggregationGroup', { aggregationGroup: 2 }],
    ['aggregationInterleaved', { aggregationInterleaved: true }],
  ] as const)('refuses %s where nothing reads it', async (name, own) => {
    await using model = await tinyModel()
    const make = () => new SFTTrainer({ model, trainDataset: rows, args: { ...args, ...own } })
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(name) }))
  })
})

describe('a run folder', () => {
  const folder = temporaryFolder()
  let whole: TrainEvent[]
  const settings = { ...args, perDeviceTrainBatchSize: 3, maxSteps: 7, saveSteps: 2 }

  beforeAll(async () => {
    await using model = await tinyModel()
    whole = []
    const trainer = new SFTTrainer({
      model,
      trainDataset: rows,
      args: { ...settings, outputDir: join(folder, 'whole') },
    })
    for await (const event of trainer.run()) whole.push(event)
  })
  const steps = (events: TrainEvent[]) =>
    events.filter((event) => event.type === 'step').map(({ step, metrics }) => [step, metrics])

  it('holds settings, metrics and checkpoints that load as models', async () => {
    for (const file of ['config.resolved.yaml', 'run.json', 'metrics.jsonl'])
      expect(existsSync(join(folder, 'whole', file))).toBe(true)
    const lines = readFileSync(join(folder, 'whole', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line).step)).toEqual([1, 2, 3, 4, 5, 6, 7])
    await using model = await VisionLanguageModel.fromPretrained(
      join(folder, 'whole', 'checkpoints', 'step-000007', 'model'),
    )
    expect(model.numParameters().total).toBeGreaterThan(0)
  })

  it('goes on after a stop with the very numbers of a run that was not stopped, twice', async () => {
    const outputDir = join(folder, 'stopped')
    const seen: TrainEvent[] = []
    for (const stopAfter of [3, 5, 99]) {
      await using model = await tinyModel()
      const controller = new AbortController()
      const trainer = new SFTTrainer({
        model,
        trainDataset: rows,
        args: { ...settings, outputDir, resumeFromCheckpoint: 'auto' },
      })
      try {
        for await (const event of trainer.run({ signal: controller.signal })) {
          seen.push(event)
          if (event.type === 'step' && event.step === stopAfter) controller.abort(new Error('stopped'))
        }
      } catch (error) {
        expect(error).toMatchObject({ message: 'stopped' })
      }
    }
    expect(steps(seen)).toEqual(steps(whole))
    const weights = (run: string) =>
      readFileSync(join(folder, run, 'checkpoints', 'step-000007', 'model', 'model.safetensors')).toString('base64')
    expect(weights('stopped') === weights('whole')).toBe(true)
  })

  it('refuses to continue with other settings, naming them', async () => {
    await using model = await tinyModel()
    const trainer = new SFTTrainer({
      model,
      trainDataset: rows,
      args: { ...settings, outputDir: join(folder, 'whole'), learningRate: 1e-4, resumeFromCheckpoint: 'auto' },
    })
    await expect(trainer.train()).rejects.toMatchObject({
      code: 'E_CKPT_MISMATCH',
      message: expect.stringContaining('learningRate'),
    })
  })

  it('never mixes a new run with the files of an old one', async () => {
    await using model = await tinyModel()
    const trainer = new SFTTrainer({
      model,
      trainDataset: rows,
      args: { ...settings, outputDir: join(folder, 'whole') },
    })
    await expect(trainer.train()).rejects.toMatchObject({ code: 'E_CONFIG' })
  })

  it('refuses a second trainer on the same folder and on the same model', async () => {
    await using model = await tinyModel()
    await using other = await tinyModel()
    const trainer = (m: VisionLanguageModel, outputDir: string) =>
      new SFTTrainer({ model: m, trainDataset: rows, args: { ...settings, outputDir } }).run()
    const first = trainer(model, join(folder, 'busy'))
    await first.next()
    await expect(trainer(other, join(folder, 'busy')).next()).rejects.toMatchObject({ code: 'E_BUSY' })
    await expect(trainer(model, join(folder, 'other')).next()).rejects.toMatchObject({ code: 'E_BUSY' })
    await expect(model.generate('what')).rejects.toMatchObject({ code: 'E_BUSY' })
    await first.return({ step: 0, history: [] })
    expect((await model.generate('what', { maxNewTokens: 1 })).length).toBe(1)
  })
})
