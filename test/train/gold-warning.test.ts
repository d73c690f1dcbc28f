import { expect, it } from 'vitest'
import { GRPOTrainer, type TrainEvent } from '../../src/index.js'
import { accuracyReward, exactBoxed, type RewardFunc } from '../../src/reward/index.js'
import { tinyModel } from '../support/tiny.js'

async function firstEvents(rewardFuncs: RewardFunc[], answers: string[]): Promise<TrainEvent[]> {
  await using model = await tinyModel()
  const trainer = new GRPOTrainer({
    model,
    rewardFuncs,
    trainDataset: answers.map((answer) => ({ problem: 'what', answer })),
    args: { promptsPerStep: 1, numGenerations: 2, maxCompletionLength: 2, maxSteps: 0, beta: 0, systemMessage: false },
  })
  const events: TrainEvent[] = []
  for await (const event of trainer.run()) events.push(event)
  return events
}

it('a run whose rewards compare gold answers warns at its start of those that fail, and goes on', async () => {
  const events = await firstEvents([accuracyReward()], ['7', '55°', 'None'])
  expect(events).toMatchObject([
    {
      type: 'warning',
      step: 0,
      code: 'E_DATA_ROW',
      message: expect.stringMatching(/^2 of 3 gold answers fail under mathruler, the first rows\[1\]: .*degree/),
    },
    { type: 'start' },
    { type: 'end', reason: 'done' },
  ])
})

it('no warning where nothing fails, or nothing is compared by rules', async () => {
  const kinds = async (reward: RewardFunc, answer: string) =>
    (await firstEvents([reward], [answer])).map(({ type }) => type)
  expect(await kinds(accuracyReward(), '7')).not.toContain('warning')
  expect(await kinds(exactBoxed, '55°')).not.toContain('warning')
})
