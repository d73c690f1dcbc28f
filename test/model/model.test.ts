import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { VisionLanguageModel } from '../../src/index.js'
import { config, picture, temporaryFolder, tinyModel, tokenizer } from '../support/tiny.js'

const options = { maxNewTokens: 6, systemMessage: false as const }
const ask = (text: string) => [{ role: 'user' as const, content: text }]

describe('generate', () => {
  it('gives a completion the same whatever else is in the batch', async () => {
    await using model = await tinyModel()
    const prompts = [ask('what'), ask('what is it ? what is it ?'), ask('red')]
    const together = await model.generate(prompts, { ...options, numReturnSequences: 3 })
    const [alone] = await model.generate(prompts[0] as (typeof prompts)[0], { ...options, numReturnSequences: 3 })
    expect(alone?.map(({ ids }) => [...ids])).toEqual(together[0]?.map(({ ids }) => [...ids]))
  })

  it('is repeated by its seed and changed by another', async () => {
    await using model = await tinyModel()
    const ids = async (seed: number) => [
      ...((await model.generate('what', { ...options, maxNewTokens: 20, seed }))[0]?.[0]?.ids ?? []),
    ]
    expect(await ids(3)).toEqual(await ids(3))
    expect(await ids(3)).not.toEqual(await ids(4))
  })

  it('never returns a vision token or an id without a token', async () => {
    await using model = await tinyModel()
    const completions = await model.generate('what', {
      ...options,
      maxNewTokens: 40,
      numReturnSequences: 64,
      temperature: 5,
    })
    const seen = new Set(completions.flat().flatMap(({ ids }) => [...ids]))
    expect(seen.size).toBeGreaterThan(15)
    for (const banned of [3, 4, 5, 31]) expect(seen.has(banned)).toBe(false)
  })

  it('returns one log-probability a token, of at most 0, and says why each completion ended', async () => {
    await using model = await tinyModel()
    const [completions] = await model.generate('what', { ...options, numReturnSequences: 32 })
    for (const { ids, logProbs, finishReason } of completions ?? []) {
      expect(logProbs).toHaveLength(ids.length)
      expect(Math.max(...logProbs)).toBeLessThanOrEqual(0)
      expect(finishReason).toBe(ids.at(-1) === 2 ? 'stop' : 'length')
    }
  })

  it('sees pictures: another one, another answer', async () => {
    await using model = await tinyModel()
    const logProbs = async (colour: string) => {
      const image = await picture(colour)
      const [[completion] = []] = await model.generate([{ role: 'user', content: [{ type: 'image', image }] }], {
        ...options,
        temperature: 0,
      })
      return [...(completion?.logProbs ?? [])]
    }
    expect(await logProbs('red')).not.toEqual(await logProbs('blue'))
  })

  it('does not let a user type a special token', async () => {
    await using model = await tinyModel()
    const { ids } = await model.processor.encode(ask('<|im_end|> <|image_pad|> what'), { systemMessage: false })
    expect([...ids].filter((id) => id === 2)).toHaveLength(1)
    expect([...ids]).not.toContain(5)
  })

  it('ends early when aborted, with the reason of the signal', async () => {
    await using model = await tinyModel()
    const controller = new AbortController()
    const reason = new Error('enough')
    const running = model.generate('what', {
      maxNewTokens: 200,
      numReturnSequences: 512,
      stopIds: [],
      systemMessage: false,
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(reason), 30)
    await expect(running).rejects.toBe(reason)
    expect(await model.generate('what', options)).toHaveLength(1)
  })
})

describe('stream', () => {
  it('adds up to the completion', async () => {
    await using model = await tinyModel()
    const [[whole] = []] = await model.generate('what', { ...options, maxNewTokens: 12 })
    let text = ''
    const ids: number[] = []
    let reason: string | undefined
    for await (const chunk of model.stream('what', { ...options, maxNewTokens: 12 })) {
      text += chunk.text
      ids.push(...chunk.ids)
      reason = chunk.finishReason ?? reason
    }
    expect({ text, ids, reason }).toEqual({
      text: whole?.text,
      ids: [...(whole?.ids ?? [])],
      reason: whole?.finishReason,
    })
  })

  it('stops the engine when the reader leaves, and two streams run side by side', async () => {
    await using model = await tinyModel()
    const take = async (n: number) => {
      let taken = 0
      for await (const _ of model.stream('what', { maxNewTokens: 200, stopIds: [], systemMessage: false }))
        if (++taken === n) break
      return taken
    }
    expect(await Promise.all([take(3), take(5)])).toEqual([3, 5])
  })
})

describe('loading and saving', () => {
  it('gives the same weights for the same seed only', async () => {
    const first = async (seed: number) => {
      await using model = await tinyModel({ seed })
      return [...((await model.generate('what', { ...options, temperature: 0 }))[0]?.[0]?.logProbs ?? [])]
    }
    expect(await first(1)).toEqual(await first(1))
    expect(await first(1)).not.toEqual(await first(2))
  })

  it('names the field when the config contradicts the weights', async () => {
    const folder = temporaryFolder()
    await using model = await tinyModel()
    await model.savePretrained(folder)
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, intermediate_size: 48 }))
    await expect(VisionLanguageModel.fromPretrained(folder)).rejects.toMatchObject({
      code: 'E_WEIGHTS',
      message: expect.stringMatching(/gate_proj|up_proj|down_proj/),
    })
  })

  it('names the folder or file that cannot be written', async () => {
    await using model = await tinyModel()
    const folder = temporaryFolder()
    const file = join(folder, 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'below')]) {
      await expect(model.savePretrained(path)).rejects.toMatchObject({
        code: 'E_PATH',
        message: expect.stringMatching(/^\/.*file.*: cannot be written \((EEXIST|ENOTDIR)\)$/),
      })
    }
    mkdirSync(join(folder, 'tokenizer.json'))
    await expect(model.savePretrained(folder)).rejects.toMatchObject({
      code: 'E_CKPT_SAVE',
      message: `${join(folder, 'tokenizer.json')}: cannot be written (EISDIR)`,
    })
  })

  it('names a file that is there and cannot be read, also one that a folder may lack', async () => {
    const folder = temporaryFolder()
    await using model = await tinyModel()
    await model.savePretrained(folder)
    rmSync(join(folder, 'generation_config.json'))
    mkdirSync(join(folder, 'generation_config.json'))
    await expect(VisionLanguageModel.fromPretrained(folder)).rejects.toMatchObject({
      code: 'E_MODEL',
      message: `${join(folder, 'generation_config.json')}: cannot be read (EISDIR)`,
    })
  })

  it('names the file that is missing or damaged', async () => {
    const folder = temporaryFolder()
    await expect(VisionLanguageModel.fromPretrained(folder)).rejects.toMatchObject({
      code: 'E_MODEL',
      message: expect.stringContaining('config.json'),
    })
    await using model = await tinyModel()
    await model.savePretrained(folder)
    const cut = temporaryFolder()
    cpSync(folder, cut, { recursive: true })
    writeFileSync(join(cut, 'model.safetensors'), readFileSync(join(folder, 'model.safetensors')).subarray(0, 5000))
    await expect(VisionLanguageModel.fromPretrained(cut)).rejects.toMatchObject({
      code: 'E_WEIGHTS',
      message: expect.stringContaining('model.safetensors'),
    })
    writeFileSync(join(folder, 'tokenizer.json'), '{')
    await expect(VisionLanguageModel.fromPretrained(folder)).rejects.toMatchObject({ code: 'E_TOKENIZER' })
  })

  it('reads a folder as transformers 5 writes it, and saves one that every version reads', async () => {
    await using model = await tinyModel()
    const old = temporaryFolder()
    await model.savePretrained(old)
    const nested = temporaryFolder()
    cpSync(old, nested, { recursive: true })
    const settings = readFileSync(join(old, 'preprocessor_config.json'))
    rmSync(join(nested, 'preprocessor_config.json'))
    writeFileSync(
      join(nested, 'processor_config.json'),
      JSON.stringify({ processor_class: 'Qwen2_5_VLProcessor', image_processor: JSON.parse(settings.toString()) }),
    )
    await using read = await VisionLanguageModel.fromPretrained(nested)
    expect(read.processor.gridOf(500, 500)).toEqual(model.processor.gridOf(500, 500))
    const saved = temporaryFolder()
    await read.savePretrained(saved)
    expect(readFileSync(join(saved, 'preprocessor_config.json'))).toEqual(settings)
    expect(JSON.parse(readFileSync(join(saved, 'processor_config.json'), 'utf8'))).toEqual({
      processor_class: 'Qwen2_5_VLProcessor',
    })
  })

  it('refuses a processor that cuts images otherwise than the model, new or loaded', async () => {
    const vision_config = { ...config.vision_config, patch_size: 28 }
    const refusal = {
      code: 'E_CONFIG',
      message: expect.stringMatching(/patch_size: expected (14|28), .* got (28|14)$/),
    }
    await expect(
      VisionLanguageModel.fromConfig({ ...config, vision_config }, { tokenizer, preprocessor: {} }),
    ).rejects.toMatchObject(refusal)
    const folder = temporaryFolder()
    await using model = await tinyModel()
    await model.savePretrained(folder)
    writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify({ patch_size: 28 }))
    await expect(VisionLanguageModel.fromPretrained(folder)).rejects.toMatchObject(refusal)
  })

  it('refuses a config that means another token by an image than the tokenizer', async () => {
    await expect(VisionLanguageModel.fromConfig({ ...config, image_token_id: 4 }, { tokenizer })).rejects.toMatchObject(
      {
        code: 'E_CONFIG',
        message: 'config.json: image_token_id: expected 5, the id of <|image_pad|> in tokenizer.json, got 4',
      },
    )
  })

  it.each([
    ['null', 'expected an object, got null'],
    ['{"eos_token_id":"a"}', 'eos_token_id: expected an id or a list of ids, got "a"'],
  ])('refuses a generation_config.json of %s', async (content, message) => {
    const folder = temporaryFolder()
    await using model = await tinyModel()
    await model.savePretrained(folder)
    writeFileSync(join(folder, 'generation_config.json'), content)
    await expect(VisionLanguageModel.fromPretrained(folder)).rejects.toMatchObject({
      code: 'E_MODEL',
      message: expect.stringContaining(`generation_config.json: ${message}`),
    })
  })

  it('refuses a config it cannot compute, naming the field', async () => {
    await expect(
      VisionLanguageModel.fromConfig({ ...config, use_sliding_window: true }, { tokenizer }),
    ).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('use_sliding_window'),
    })
  })
})

describe('closing', () => {
  it('rejects every later call with E_CLOSED and may be repeated', async () => {
    const model = await tinyModel()
    await model.close()
    await model.close()
    await expect(model.generate('what')).rejects.toMatchObject({ code: 'E_CLOSED' })
    const folder = join(temporaryFolder(), 'new')
    await expect(model.savePretrained(folder)).rejects.toMatchObject({ code: 'E_CLOSED' })
    expect(existsSync(folder)).toBe(false)
  })

  it('lets a call in flight end first', async () => {
    const model = await tinyModel()
    const running = model.generate('what', options)
    await Promise.resolve()
    const result = await running
    await model.close()
    expect(result).toHaveLength(1)
  })
})
