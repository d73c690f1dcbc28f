import { expect, it } from 'vitest'
import { evaluate, SFTTrainer, type VisionLanguageModel } from '../../src/index.js'
import { tinyModel } from '../support/tiny.js'

const endless = { maxNewTokens: 200, stopIds: [], systemMessage: false as const }
const rows = [{ problem: 'what is it ?', answer: 'red' }]
const trainer = (model: VisionLanguageModel, maxSteps = 1) =>
  new SFTTrainer({ model, trainDataset: rows, args: { maxSteps, systemMessage: false } })
const busy = (by: string) =>
  expect.objectContaining({ code: 'E_BUSY', message: `sft training: this model is in use by ${by}` })

it('a trainer does not get a model that generates, which answers as if nobody had asked', async () => {
  await using model = await tinyModel()
  const options = { ...endless, numReturnSequences: 64 }
  const ids = async () => (await model.generate('what', options))[0]?.map((completion) => [...completion.ids])
  const alone = await ids()
  const running = ids()
  await expect(trainer(model).train()).rejects.toEqual(busy('generate'))
  expect(await running).toEqual(alone)
  expect((await trainer(model).train()).step).toBe(1)
})

it('an abort of the refused trainer, or of another call, does not reach a call in flight', async () => {
  await using model = await tinyModel()
  const [theirs, mine] = [new AbortController(), new AbortController()]
  const running = model.generate('what', { ...endless, numReturnSequences: 8 })
  const other = model.generate('what', { ...endless, numReturnSequences: 8, signal: mine.signal })
  const refused = trainer(model).train({ signal: theirs.signal })
  await expect(refused).rejects.toMatchObject({ code: 'E_BUSY' })
  theirs.abort(new Error('not yours'))
  const reason = new Error('enough')
  mine.abort(reason)
  await expect(other).rejects.toBe(reason)
  expect((await running)[0]).toHaveLength(8)
})

it('a stream counts until it is left, an evaluation until its last score', async () => {
  await using model = await tinyModel()
  const stream = model.stream('what', endless)
  await stream.next()
  await expect(trainer(model).train()).rejects.toEqual(busy('stream'))
  await stream.return()
  let refusal: unknown
  const score = async () => {
    refusal = await trainer(model)
      .train()
      .catch((error: unknown) => error)
    return true
  }
  await evaluate({ model, dataset: rows, score, generate: { maxNewTokens: 2, systemMessage: false } })
  expect(refusal).toEqual(busy('evaluate'))
  expect((await trainer(model).train()).step).toBe(1)
})

it('names everything that runs, and a call that failed no more', async () => {
  await using model = await tinyModel()
  await expect(model.generate('what', { maxNewTokens: 100_000 })).rejects.toMatchObject({ code: 'E_TOO_LONG' })
  const stream = model.stream('what', endless)
  await stream.next()
  const running = [model.generate('what', endless), model.generate('what', endless)]
  await expect(trainer(model).train()).rejects.toEqual(busy('stream and generate'))
  await Promise.all([stream.return(), ...running])
})

it('while a trainer has the model, every call that reads its weights is refused', async () => {
  await using model = await tinyModel()
  const events = trainer(model, 3).run()
  await events.next()
  const refusals = [
    model.generate('what'),
    model.stream('what').next(),
    evaluate({ model, dataset: rows, score: () => true }),
  ]
  for (const refusal of refusals) await expect(refusal).rejects.toMatchObject({ code: 'E_BUSY' })
  await events.return({ step: 0, history: [] })
  expect(await model.generate('what', { maxNewTokens: 1 })).toHaveLength(1)
})
