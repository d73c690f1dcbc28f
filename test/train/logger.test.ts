import { expect, it } from 'vitest'
import { GRPOTrainer, type Logger } from '../../src/index.js'
import { tinyModel } from '../support/tiny.js'

async function train(logger: Logger): Promise<number> {
  await using model = await tinyModel()
  const trainer = new GRPOTrainer({
    model,
    logger,
    rewardFuncs: ({ completions }) => completions.map((_, i) => (i === 0 ? Number.NaN : i)),
    trainDataset: [{ problem: 'what' }],
    args: {
      maxSteps: 2,
      promptsPerStep: 1,
      numGenerations: 8,
      maxCompletionLength: 2,
      beta: 0,
      systemMessage: false,
    },
  })
  return (await trainer.train()).step
}

it('a logger hears of steps and of warnings', async () => {
  const heard: unknown[] = []
  const note =
    (kind: string) =>
    (fields: Record<string, unknown>): void => {
      heard.push([kind, fields.step, fields.code])
    }
  await train({ info: note('info'), warn: note('warn') })
  expect(heard).toEqual([
    ['warn', 1, 'E_REWARD'],
    ['info', 1, undefined],
    ['warn', 2, 'E_REWARD'],
    ['info', 2, undefined],
  ])
})

it('a logger that throws ends no run', async () => {
  const broken = (): void => {
    throw new Error('no log')
  }
  expect(await train({ info: broken, warn: broken })).toBe(2)
})
