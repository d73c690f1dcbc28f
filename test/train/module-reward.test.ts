import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { GRPOTrainer, type TrainEvent } from '../../src/index.js'
import { rewardFromModule } from '../../src/reward/index.js'
import { temporaryFolder, tinyModel } from '../support/tiny.js'

/** Spins for ever on rows whose answer is `bad`. */
function stuckReward(): string {
  const path = join(temporaryFolder(), 'stuck.mjs')
  const code = `export function stuck({ completions, answers }) {
    if (answers[0] === 'bad') for (;;);
    return completions.map((text) => text.length)
  }`
  writeFileSync(path, code)
  return path
}

async function train(answers: string[]): Promise<TrainEvent[]> {
  await using model = await tinyModel()
  await using reward = await rewardFromModule(stuckReward(), { softMs: 200, hardMs: 5000 })
  const trainer = new GRPOTrainer({
    model,
    rewardFuncs: reward,
    trainDataset: answers.map((answer) => ({ problem: 'what', answer })),
    args: {
      promptsPerStep: answers.length,
      numGenerations: 4,
      maxCompletionLength: 2,
      maxSteps: 1,
      beta: 0,
      systemMessage: false,
    },
  })
  const events: TrainEvent[] = []
  for await (const event of trainer.run()) events.push(event)
  return events
}

it('a step goes on without the completions on which a reward got stuck, counts them and names the reward', async () => {
  const events = await train(['a', 'b', 'bad', 'c', 'd', 'e'])
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'warning', code: 'E_REWARD', message: 'stuck: no answer within 5000 ms' }),
  )
  const step = events.find((event) => event.type === 'step')
  expect(step?.metrics).toMatchObject({
    'reward/timeouts': 1,
    'reward/errors': 0,
    'batch/unscorable_ratio': expect.closeTo(1 / 6),
  })
})

it('a reward that gets stuck on more than a fifth of a step stops the run', async () => {
  await expect(train(['a', 'bad', 'bad'])).rejects.toMatchObject({
    code: 'E_REWARD_RATE',
    message: expect.stringMatching(/8 of 12 completions got no reward \(stuck: no answer/),
  })
})
