import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type EvaluateOptions,
  evaluate,
  type FromConfigOptions,
  type FromPretrainedOptions,
  type GenerateOptions,
  VisionLanguageModel,
} from '../../src/index.js'
import { tinyModel } from '../support/tiny.js'

let model: VisionLanguageModel
beforeAll(async () => {
  model = await tinyModel()
})
afterAll(() => model.close())

const refusal = (code: string, message: string) => expect.objectContaining({ code, message })
const turn = (content: unknown) => [{ role: 'user', content }]

describe('options of generate', () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ seed: -1 }, 'options.seed: expected number to be >=0, got -1'],
    [{ seed: 0.5 }, 'options.seed: expected int, got 0.5'],
    [{ seed: null }, 'options.seed: expected number, got null'],
    [{ maxNewTokens: 1.5 }, 'options.maxNewTokens: expected int, got 1.5'],
    [{ maxNewTokens: -1 }, 'options.maxNewTokens: expected number to be >=1, got -1'],
    [{ numReturnSequences: 0 }, 'options.numReturnSequences: expected number to be >=1, got 0'],
    [{ numReturnSequences: 1e9 }, 'options.numReturnSequences: expected number to be <=100000, got 1000000000'],
    [{ temperature: '1' }, 'options.temperature: expected number, got "1"'],
    [{ temperature: Number.NaN }, 'options.temperature: expected number, got NaN'],
    [{ temperature: 1e-40 }, 'options.temperature: expected 0 or a number from 1e-6 to 1e6, got 1e-40'],
    [{ repetitionPenalty: 1e-40 }, 'options.repetitionPenalty: expected number to be >=0.000001, got 1e-40'],
    [{ topP: 0 }, 'options.topP: expected number to be >0, got 0'],
    [{ bannedIds: [-1] }, 'options.bannedIds[0]: expected number to be >=0, got -1'],
    [{ stopIds: [1, 2 ** 32] }, 'options.stopIds[1]: expected number to be <=4294967295, got 4294967296'],
    [{ bannedIds: [9999] }, 'options.bannedIds[0]: expected an id below 32, the size of the vocabulary, got 9999'],
    [{ stopIds: [31, 32] }, 'options.stopIds[1]: expected an id below 32, the size of the vocabulary, got 32'],
    [{ stopStrings: 'a' }, 'options.stopStrings: expected array, got "a"'],
    [{ systemMessage: 5 }, 'options.systemMessage: expected a text or false, got 5'],
    [{ signal: {} }, 'options.signal: expected an AbortSignal, got an object'],
    [{ maxTokens: 5 }, 'options: unknown key maxTokens; did you mean maxNewTokens?'],
    [{ max_new_tokens: 5 }, 'options: unknown key max_new_tokens; keys are camelCase here: maxNewTokens'],
  ]

  it.each(cases)('%j are refused', async (options, message) => {
    await expect(model.generate('what', options as GenerateOptions)).rejects.toEqual(refusal('E_CONFIG', message))
  })

  it('count as they were when the call began', async () => {
    const options = { maxNewTokens: 6, stopIds: [], systemMessage: false as const }
    const running = model.generate('what', options)
    options.maxNewTokens = 1
    expect((await running)[0]?.[0]?.ids).toHaveLength(6)
  })

  it('are refused by a stream too, which is one completion', async () => {
    const next = (options: object) => model.stream('what', options as GenerateOptions).next()
    await expect(next({ seed: -1 })).rejects.toMatchObject({ code: 'E_CONFIG' })
    await expect(next({ numReturnSequences: 2 })).rejects.toEqual(
      refusal('E_CONFIG', 'options.numReturnSequences: expected 1, as a stream is one completion, got 2'),
    )
  })

  it('may be undefined, each of them', async () => {
    const options = { maxNewTokens: 1, systemMessage: false, seed: undefined, stopIds: undefined, signal: undefined }
    expect(await model.generate('what', options as GenerateOptions)).toHaveLength(1)
  })
})

describe('prompts of generate', () => {
  it.each([
    [5, 'prompt: expected a text, a list of messages or { messages }, got 5'],
    [null, 'prompt: expected a text, a list of messages or { messages }, got null'],
    [{}, 'prompt.messages: expected array, got undefined'],
    [
      { message: [] },
      'prompt.messages: expected array, got undefined; prompt: unknown key message; did you mean messages?',
    ],
    [['what', 5], 'prompts[1]: expected a text, a list of messages or { messages }, got 5'],
    [[{ role: 'user' }], 'prompt[0].content: expected a text or a list of parts, got undefined'],
    [[{ role: 'tool', content: 'x' }], 'prompt[0].role: expected system, user or assistant, got "tool"'],
    [[{ role: 'user', content: 'x' }, 'y'], 'prompt[1]: expected a message { role, content }, got "y"'],
    [[turn('x'), turn([{ type: 'text' }])], 'prompts[1][0].content[0].text: expected string, got undefined'],
    [turn([{ type: 'video', video: 'x' }]), 'prompt[0].content[0].type: expected text or image, got "video"'],
    [turn([{ type: 'image' }]), 'prompt[0].content[0].image: expected a path or the bytes of an image, got undefined'],
  ])('%j is refused, naming the place', async (prompt, message) => {
    await expect(model.generate(prompt as string, { maxNewTokens: 1 })).rejects.toEqual(refusal('E_USAGE', message))
  })

  it('may be texts, conversations and rows of a data set', async () => {
    const options = { maxNewTokens: 2, temperature: 0, systemMessage: false as const }
    const row = {
      messages: turn([{ type: 'text', text: 'what' }]),
      id: '0',
      source: 'rows[0]',
      answer: 'red',
      extra: {},
    }
    const prompts = ['what', turn('what'), row] as Parameters<typeof model.generate>[0]
    const ids = (await model.generate(prompts, options)).map(([completion]) => [...(completion?.ids ?? [])])
    expect(ids).toEqual([ids[0], ids[0], ids[0]])
    expect(await model.generate([], options)).toEqual([])
  })
})

describe('options of evaluate', () => {
  const complete = () => ({ model, dataset: [{ problem: 'what', answer: 'red' }], score: () => true })

  it.each([
    [{ score: undefined }, 'options.score: expected a function of completion and row, got undefined'],
    [{ model: {} }, 'options.model: expected a VisionLanguageModel, got an object'],
    [{ dataset: 5 }, 'options.dataset: expected a path, a list of rows or a Dataset, got 5'],
    [{ batchSize: Number.NaN }, 'options.batchSize: expected number, got NaN'],
    [{ generate: { maxTokens: 5 } }, 'options.generate: unknown key maxTokens; did you mean maxNewTokens?'],
    [{ scores: [] }, 'options: unknown key scores; did you mean score?'],
  ])('%j are refused', async (change, message) => {
    const options = { ...complete(), ...change } as unknown as EvaluateOptions
    await expect(evaluate(options)).rejects.toEqual(refusal('E_CONFIG', message))
  })

  it('are read', async () => {
    const result = await evaluate({ ...complete(), generate: { maxNewTokens: 2 }, batchSize: 1, onProgress: () => {} })
    expect(result).toMatchObject({ n: 1, accuracy: 1 })
  })
})

it('options of loading and saving are checked too', async () => {
  const load = VisionLanguageModel.fromPretrained('nowhere', { dType: 'bfloat16' } as FromPretrainedOptions)
  await expect(load).rejects.toEqual(refusal('E_CONFIG', 'options: unknown key dType; did you mean dtype?'))
  const make = VisionLanguageModel.fromConfig({}, {} as FromConfigOptions)
  const message = 'options.tokenizer: expected the path or the content of a tokenizer.json, got undefined'
  await expect(make).rejects.toEqual(refusal('E_CONFIG', message))
  const save = model.savePretrained('nowhere', { dtype: 'int8' } as unknown as { dtype: 'bfloat16' })
  await expect(save).rejects.toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining('options.dtype') })
})
