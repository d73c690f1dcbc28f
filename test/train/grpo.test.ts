import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GRPOTrainer, type RewardFunc, type TrainEvent } from '../../src/index.js'
import { temporaryFolder, tinyModel } from '../support/tiny.js'

const rows = [{ problem: 'what' }, { problem: 'is it ?' }]
const leftOnly: RewardFunc = async ({ completions }) => completions.map((text) => Number(text.split(' ')[0] === 'left'))
const args = {
  promptsPerStep: 2,
  numGenerations: 16,
  maxCompletionLength: 2,
  learningRate: 1e-2,
  beta: 0,
  systemMessage: false as const,
  weightDecay: 0,
}

describe('GRPOTrainer', () => {
  it('learns the answer that is rewarded', async () => {
    await using model = await tinyModel()
    const { history } = await new GRPOTrainer({
      model,
      rewardFuncs: leftOnly,
      trainDataset: rows,
      args: { ...args, maxSteps: 60 },
    }).train()
    const reward = (from: number, to: number) =>
      history.slice(from, to).reduce((sum, { metrics }) => sum + (metrics['reward/overall'] ?? 0), 0) / (to - from)
    expect(reward(0, 5)).toBeLessThan(0.3)
    expect(reward(50, 60)).toBeGreaterThan(0.9)
  })

  it('keeps the first ratio at exactly 1 and lets later updates move it', async () => {
    await using model = await tinyModel()
    const half: RewardFunc = ({ completions }) => completions.map((_, i) => i % 2)
    const one = await new GRPOTrainer({
      model,
      rewardFuncs: half,
      trainDataset: rows,
      args: { ...args, maxSteps: 2 },
    }).train()
    for (const { metrics } of one.history) {
      expect([metrics['actor/ratio_min'], metrics['actor/ratio_max']]).toEqual([1, 1])
    }
    const two = await new GRPOTrainer({
      model,
      rewardFuncs: half,
      trainDataset: rows,
      args: { ...args, maxSteps: 1, numIterations: 2 },
    }).train()
    expect(two.history[0]?.metrics['actor/ratio_max']).toBeGreaterThan(1)
  })

  it('refuses a warm-up that the run would not end before it samples anything', async () => {
    await using model = await tinyModel()
    let calls = 0
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: ({ completions }) => completions.map(() => ++calls),
      trainDataset: rows,
      args: { ...args, maxSteps: 2, warmupSteps: 2, lrSchedulerType: 'cosine' },
    })
    const message = 'args.warmupSteps: expected fewer than the 2 updates of the run, got 2'
    await expect(trainer.train()).rejects.toMatchObject({ code: 'E_CONFIG', message })
    expect(calls).toBe(0)
  })

  it('gives no score to an evaluation whose rewards failed, and counts them', async () => {
    await using model = await tinyModel()
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: ({ completions }) => {
        if (completions.length === rows.length) throw new Error('not now')
        return completions.map((_, i) => i % 2)
      },
      trainDataset: rows,
      evalDataset: rows,
      args: { ...args, maxSteps: 1 },
    })
    const events: TrainEvent[] = []
    for await (const event of trainer.run()) events.push(event)
    const metrics = events.find((event) => event.type === 'eval')?.metrics ?? {}
    expect(metrics).toMatchObject({ 'val/unscorable_ratio': 1, 'val/reward_errors': 2, 'val/reward_timeouts': 0 })
    expect(metrics).not.toHaveProperty('val/reward_score')
  })

  it('tells of the whole rollout whatever the updates it is split into', async () => {
    const measures = async (stepsPerGeneration: number) => {
      await using model = await tinyModel()
      const { history } = await new GRPOTrainer({
        model,
        rewardFuncs: ({ completions }) => completions.map((text) => text.length),
        trainDataset: [...rows, { problem: 'what is it ? what is it ?' }],
        args: { ...args, promptsPerStep: 3, maxCompletionLength: 6, maxSteps: 1, stepsPerGeneration },
      }).train()
      const names = /^(critic|response_length|prompt_length|batch|reward)\//
      return Object.fromEntries(Object.entries(history[0]?.metrics ?? {}).filter(([name]) => names.test(name)))
    }
    const whole = await measures(1)
    expect(whole['response_length/max']).toBeGreaterThan(whole['response_length/min'] ?? Number.NaN)
    expect(await measures(2)).toEqual(whole)
  })

  it('stays nearer to the reference model with a KL weight than without', async () => {
    const drift = async (beta: number) => {
      await using model = await tinyModel()
      const { history } = await new GRPOTrainer({
        model,
        rewardFuncs: leftOnly,
        trainDataset: rows,
        args: { ...args, maxSteps: 40, beta: Math.max(beta, 1e-9), klEstimator: 'k3' },
      }).train()
      return history.at(-1)?.metrics['actor/kl_loss'] ?? Number.NaN
    }
    expect(await drift(3)).toBeLessThan(0.5 * (await drift(0)))
  })

  it('trains on nothing when every reward of a group is equal', async () => {
    await using model = await tinyModel()
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: ({ completions }) => completions.map(() => 1),
      trainDataset: rows,
      args: { ...args, maxSteps: 2 },
    })
    const { history } = await trainer.train()
    expect(history.map(({ metrics }) => [metrics['actor/grad_norm'], metrics['batch/zero_std_ratio']])).toEqual([
      [0, 1],
      [0, 1],
    ])
  })

  it('excludes completions without a reward and warns of a function that throws', async () => {
    await using model = await tinyModel()
    const events: TrainEvent[] = []
    const flaky: RewardFunc = ({ completions, step }) => {
      if (step === 2) throw new Error('no network')
      return completions.map((_, i) => (i === 0 ? null : i % 2))
    }
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: flaky,
      trainDataset: rows,
      args: { ...args, maxSteps: 2, maxUnscorable: 1 },
    })
    for await (const event of trainer.run()) events.push(event)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', code: 'E_REWARD', message: expect.stringContaining('no network') }),
    )
    const unscored = events.flatMap((event) => (event.type === 'step' ? [event.metrics['batch/unscorable_ratio']] : []))
    expect(unscored).toEqual([1 / 32, 1])
  })

  it('stops when too many completions get no reward', async () => {
    await using model = await tinyModel()
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: ({ completions }) => completions.map(() => null),
      trainDataset: rows,
      args: { ...args, maxSteps: 2 },
    })
    await expect(trainer.train()).rejects.toMatchObject({ code: 'E_REWARD_RATE' })
  })

  it('leaves prompts out that are too long, and says so when none is left', async () => {
    await using model = await tinyModel()
    const long = { problem: 'what '.repeat(20).trim() }
    const make = (trainDataset: { problem: string }[]) =>
      new GRPOTrainer({
        model,
        rewardFuncs: leftOnly,
        trainDataset,
        args: { ...args, maxSteps: 1, maxPromptLength: 12 },
      })
    const { history } = await make([...rows, long, long]).train()
    expect(history).toHaveLength(1)
    await expect(make([long]).train()).rejects.toMatchObject({ code: 'E_TOO_LONG' })
  })

  it('makes as many updates of a step as are asked for, also where the prompts do not divide', async () => {
    await using model = await tinyModel()
    const make = (stepsPerGeneration: number) =>
      new GRPOTrainer({
        model,
        rewardFuncs: ({ completions }) => completions.map((_, i) => i % 3),
        trainDataset: rows,
        args: {
          ...args,
          numGenerations: 4,
          promptsPerStep: 5,
          stepsPerGeneration,
          maxSteps: 1,
          learningRate: 1,
          lrSchedulerType: 'linear',
        },
      })
    // The rate of the last of four updates, of a schedule that ends behind it.
    const { history } = await make(4).train()
    expect(history[0]?.metrics['actor/lr']).toBeCloseTo(1 / 4)
    expect(() => make(6)).toThrow(/stepsPerGeneration: expected at most promptsPerStep 5/)
  })

  it('names its metrics in the same order in every run', async () => {
    const names = async () => {
      await using model = await tinyModel()
      const trainer = new GRPOTrainer({
        model,
        rewardFuncs: leftOnly,
        trainDataset: rows,
        args: { ...args, maxSteps: 1 },
      })
      return Object.keys((await trainer.train()).history[0]?.metrics ?? {})
    }
    const engine = (await names()).filter((name) => name.startsWith('actor/')).slice(0, -2)
    expect(engine).toEqual([...engine].sort())
    expect(engine.length).toBeGreaterThan(5)
  })

  it.each([
    ['klEstimator', { klEstimator: 'k2' }],
    ['klClamp', { klClamp: 5 }],
    ['aggregationInterleaved', { aggregationInterleaved: true }],
    ['advantageEpsilon', { advantage: 'center', advantageEpsilon: 0.1 }],
    ['minLrRatio', { minLrRatio: 0.5 }],
    ['decay', { decay: 'all' }],
  ] as const)('refuses %s where nothing reads it', async (name, own) => {
    await using model = await tinyModel()
    const train = async () =>
      new GRPOTrainer({
        model,
        rewardFuncs: leftOnly,
        trainDataset: rows,
        args: { ...args, maxSteps: 0, ...own },
      }).train()
    await expect(train()).rejects.toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining(name) })
  })

  /** Runs with a rate that ruins the weights; returns the message and what the folder says. */
  async function diverged(own: object): Promise<{ message: string; lines: Record<string, unknown>[] }> {
    await using model = await tinyModel()
    const outputDir = join(temporaryFolder(), 'run')
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: ({ completions }) => completions.map((_, i) => i % 2),
      trainDataset: rows,
      args: { ...args, outputDir, maxSteps: 50, learningRate: 1e30, ...own },
    })
    const error = await trainer.train().then(
      () => ({}),
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'E_DIVERGED' })
    const [file] = readdirSync(join(outputDir, 'diverged'))
    const text = readFileSync(join(outputDir, 'diverged', file as string), 'utf8')
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    return { message: (error as Error).message, lines }
  }

  it('that diverges in an update leaves the completions of the step and names the rows at fault', async () => {
    const { message, lines } = await diverged({ stepsPerGeneration: 2, numIterations: 2, maxSkippedUpdates: 1 })
    expect(message).toMatch(/^step 1: .*; not finite by itself: rows\[\d\], rows\[\d\]; /)
    expect(lines).toHaveLength(32)
    expect(lines[0]).toMatchObject({ isAtFault: true, ids: expect.any(Array), logProbs: { now: expect.any(Array) } })
  })

  it('that diverges in sampling names the row and leaves the prompts of the step', async () => {
    const { message, lines } = await diverged({})
    expect(message).toMatch(/^step 2: rows\[\d\]: /)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatchObject({ source: expect.stringContaining('rows['), promptIds: expect.any(Array) })
  })

  it('refuses an objective that contradicts itself, naming the field', async () => {
    await using model = await tinyModel()
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: leftOnly,
      trainDataset: rows,
      args: { ...args, lossType: 'cispo', delta: 3 },
    })
    await expect(trainer.train()).rejects.toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining('delta') })
  })
})

/** Runs the child of this test until it ends or is killed after `killAfterMs`. Resolves with whether it reached the end. */
function runChild(outputDir: string, killAfterMs?: number): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'grpo-child.mjs'), outputDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
    // The clock starts with the first step, so that the kill falls into steps and saves and not into start-up.
    if (killAfterMs !== undefined && output.includes('step')) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  })
  return new Promise((resolve) => child.on('close', () => resolve(output.includes('end'))))
}

it('a GRPO run that was stopped before its first step still gets its reference', async () => {
  const outputDir = join(temporaryFolder(), 'run')
  const train = async (stopAt?: TrainEvent['type']) => {
    await using model = await tinyModel()
    const trainer = new GRPOTrainer({
      model,
      rewardFuncs: leftOnly,
      trainDataset: rows,
      args: { ...args, outputDir, maxSteps: 1, beta: 0.1, resumeFromCheckpoint: 'auto' },
    })
    const run = new AbortController()
    const events: TrainEvent[] = []
    try {
      for await (const event of trainer.run({ signal: run.signal })) {
        events.push(event)
        if (event.type === stopAt) run.abort()
      }
    } catch (error) {
      if (!run.signal.aborted) throw error
    }
    return events.filter(({ type }) => type === 'step').length
  }
  expect(await train('start')).toBe(0)
  expect(await train()).toBe(1)
})

describe('a GRPO run that is killed', () => {
  it('ends, after going on again and again, with the bits of a run that was not', async () => {
    const folder = temporaryFolder()
    expect(await runChild(join(folder, 'whole'))).toBe(true)
    let ended = false
    for (let kill = 0; kill < 40 && !ended; kill++) {
      // Ever later, so that the run also ends on a slow machine.
      ended = await runChild(join(folder, 'killed'), 20 + ((kill * 37) % 160) + kill * kill)
    }
    expect(ended).toBe(true)
    const last = (run: string) => {
      const checkpoints = join(folder, run, 'checkpoints')
      const newest = readdirSync(checkpoints)
        .filter((name) => name.startsWith('step-'))
        .sort()
        .at(-1) as string
      return {
        newest,
        weights: readFileSync(join(checkpoints, newest, 'model', 'model.safetensors')).toString('base64'),
      }
    }
    expect(last('killed').newest).toBe(last('whole').newest)
    expect(last('killed').weights === last('whole').weights).toBe(true)
    const metrics = (run: string) =>
      readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ step, metrics }) => [
          step,
          metrics['reward/overall'],
          metrics['actor/pg_loss'],
          metrics['actor/grad_norm'],
        ])
    expect(metrics('killed')).toEqual(metrics('whole'))
  })
})
