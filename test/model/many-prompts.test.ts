import { writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { evaluate, GRPOTrainer, loadDataset, SFTTrainer, VisionLanguageModel } from '../../src/index.js'
import { config, picture, temporaryFolder, tokenizer } from '../support/tiny.js'
import { preprocessor } from '../support/tiny-model.mjs'

/** More than the native side lets wait at a time. */
const many = 600
const settings = { systemMessage: false as const }

let image: string
let rows: { problem: string; answer: string; images: string[] }[]
beforeAll(async () => {
  image = join(temporaryFolder(), 'red.png')
  writeFileSync(image, await picture('red', 700, 700))
  rows = Array.from({ length: many }, () => ({
    problem: '<image>what is it ?',
    answer: 'red',
    images: [basename(image)],
  }))
})

/** One that has the pixels of the image already, so that nothing holds the prompts apart, and makes one token of them. */
async function modelWithImage(): Promise<VisionLanguageModel> {
  const area = { minPixels: 784, maxPixels: 784 }
  const model = await VisionLanguageModel.fromConfig(config, { tokenizer, preprocessor, ...area })
  await model.processor.prepareImages([image])
  return model
}

describe('six hundred prompts with images', () => {
  it('are completed by one call, each in its place', async () => {
    await using model = await modelWithImage()
    const prompts = rows.map((_, i) => [
      {
        role: 'user' as const,
        content: i % 2 ? 'what is it ?' : [{ type: 'image' as const, image }],
      },
    ])
    const completions = await model.generate(prompts, { ...settings, maxNewTokens: 1, temperature: 0 })
    expect(completions).toHaveLength(many)
    const firstLogProbs = completions.map(([completion]) => completion?.logProbs[0])
    expect(new Set(firstLogProbs.filter((_, i) => i % 2)).size).toBe(1)
    expect(new Set(firstLogProbs).size).toBe(2)
  })

  it('are one batch of an evaluation', async () => {
    await using model = await modelWithImage()
    const dataset = await loadDataset(rows, { imageRoot: dirname(image) })
    const result = await evaluate({
      model,
      dataset,
      score: () => true,
      batchSize: many,
      generate: { ...settings, maxNewTokens: 1 },
    })
    expect(result).toMatchObject({ n: many, accuracy: 1 })
  })

  it('are one step of either training', async () => {
    await using model = await modelWithImage()
    const dataset = await loadDataset(rows, { imageRoot: dirname(image) })
    const sft = new SFTTrainer({
      model,
      trainDataset: dataset,
      args: { ...settings, maxSteps: 1, perDeviceTrainBatchSize: many },
    })
    expect((await sft.train()).step).toBe(1)
    const grpo = new GRPOTrainer({
      model,
      trainDataset: dataset,
      rewardFuncs: ({ completions }) => completions.map((_, i) => i % 2),
      args: { ...settings, maxSteps: 1, promptsPerStep: many, numGenerations: 2, maxCompletionLength: 1 },
    })
    expect((await grpo.train()).step).toBe(1)
  })
})
