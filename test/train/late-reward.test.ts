import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { GRPOTrainer, type RewardFunc } from '../../src/index.js'
import { temporaryFolder, tinyModel } from '../support/tiny.js'

/** A reward that never comes in one step of the run. */
const lateIn = (late: number): RewardFunc =>
  async function sometimes({ completions, step }) {
    if (step === late) await new Promise(() => undefined)
    return completions.map((_, i) => i % 2)
  }

/** Trains three steps, or until the end of step `stopAfter`; returns what run.json says then. */
async function train(outputDir: string, late: number, stopAfter?: number): Promise<Record<string, unknown>> {
  await using model = await tinyModel()
  const trainer = new GRPOTrainer({
    model,
    rewardFuncs: lateIn(late),
    trainDataset: [{ problem: 'what' }],
    args: {
      outputDir,
      maxSteps: 3,
      promptsPerStep: 1,
      numGenerations: 2,
      maxCompletionLength: 2,
      beta: 0,
      systemMessage: false,
      rewardTimeoutMs: 100,
      maxUnscorable: 1,
      resumeFromCheckpoint: 'auto',
    },
  })
  const run = new AbortController()
  try {
    for await (const event of trainer.run({ signal: run.signal })) {
      if (event.type === 'step' && event.step === stopAfter) run.abort()
    }
  } catch (error) {
    if (!run.signal.aborted) throw error
  }
  return JSON.parse(readFileSync(join(outputDir, 'run.json'), 'utf8'))
}

it('run.json says since which step a replay may differ because a reward came late', async () => {
  const folder = temporaryFolder()
  expect(await train(join(folder, 'punctual'), 0)).not.toHaveProperty('firstLateReward')
  expect(await train(join(folder, 'late'), 2)).toMatchObject({ firstLateReward: 2, stage: 'grpo', maxSteps: 3 })
})

it('a resumed run goes on saying so', async () => {
  const folder = join(temporaryFolder(), 'run')
  expect(await train(folder, 2, 2)).toMatchObject({ firstLateReward: 2 })
  expect(await train(folder, 0)).toMatchObject({ firstLateReward: 2, resumedFrom: expect.any(String) })
})
