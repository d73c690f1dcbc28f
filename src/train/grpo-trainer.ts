// Group relative policy optimization: sample a group of completions for every prompt, reward them, push towards the better ones.
import type { Dataset } from '../data/dataset.js'
import { asDataset } from '../data/load.js'
import type { DatasetLike, Row } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import type { VisionLanguageModel } from '../model/model.js'
import type { Completion } from '../model/types.js'
import { call, type NativeGroup, type NativeModel } from '../native/index.js'
import { callRewards } from '../reward/call.js'
import type { RewardFunc } from '../reward/types.js'
import { advantagesOf, type ResolvedObjective, resolveObjective } from './advantages.js'
import { type GRPOArgs, grpoArgsSchema, type ResolvedGRPOArgs, resolveArgs } from './args.js'
import type { Logger, TrainEvent, TrainOutput } from './events.js'
import { goldWarnings } from './gold-warning.js'
import { drain, runStage, type StepResult, type TrainingStage } from './loop.js'
import { mean, rolloutMetrics, type UpdateResult, updateMetrics } from './metrics.js'
import { type EncodedRow, PromptQueue } from './prompt-queue.js'
import { type Rollout, rollOut } from './rollout.js'
import { learningRate } from './schedule.js'

/** What a {@link GRPOTrainer} works with. */
export interface GRPOTrainerOptions {
  model: VisionLanguageModel
  /** One reward function or several, whose weighted sum is the reward. */
  rewardFuncs: RewardFunc | readonly RewardFunc[]
  args?: GRPOArgs
  /** Rows whose conversations end with a user turn. */
  trainDataset: DatasetLike | Dataset
  /** Judged by the same rewards on greedy completions. */
  evalDataset?: DatasetLike | Dataset
  logger?: Logger
}

/**
 * ```ts
 * const closed: RewardFunc = ({ completions }) => completions.map((text) => (text.includes('}') ? 1 : 0))
 * const trainer = new GRPOTrainer({ model, rewardFuncs: closed, trainDataset: 'questions.jsonl', args: { outputDir: 'runs/rl' } })
 * for await (const event of trainer.run()) if (event.type === 'step') console.log(event.metrics['reward/overall'])
 * ```
 */
export class GRPOTrainer {
  readonly args: ResolvedGRPOArgs
  readonly #options: GRPOTrainerOptions
  readonly #rewards: readonly RewardFunc[]

  /** Throws `E_CONFIG` naming each argument at fault. */
  constructor(options: GRPOTrainerOptions) {
    this.args = resolveArgs(grpoArgsSchema, options.args ?? {}, 'GRPO arguments')
    this.#options = options
    this.#rewards = typeof options.rewardFuncs === 'function' ? [options.rewardFuncs] : options.rewardFuncs
    const weights = this.args.rewardWeights
    if (this.#rewards.length === 0) throw new ColdstartError('E_CONFIG', 'rewardFuncs: expected at least one function')
    if (weights && weights.length !== this.#rewards.length) {
      throw new ColdstartError(
        'E_CONFIG',
        `rewardWeights: expected ${this.#rewards.length} numbers, one a reward function, got ${weights.length}`,
      )
    }
  }

  /** Trains to the end. Rejects with `signal.reason` when aborted, after a checkpoint if the run writes files. */
  train(options: { signal?: AbortSignal } = {}): Promise<TrainOutput> {
    return drain(this.run(options))
  }

  /** The same as {@link train}, as events. Leaving the loop ends the run. */
  async *run(options: { signal?: AbortSignal } = {}): AsyncGenerator<TrainEvent, TrainOutput, void> {
    const { model, logger } = this.#options
    const dataset = await asDataset(this.#options.trainDataset)
    const evalDataset = this.#options.evalDataset === undefined ? undefined : await asDataset(this.#options.evalDataset)
    const stage = new GRPOStage(model, this.args, this.#rewards, dataset, evalDataset)
    for (const warning of await goldWarnings(this.#rewards, dataset)) yield warning
    return yield* runStage(model, stage, { signal: options.signal, logger })
  }
}

class GRPOStage implements TrainingStage {
  readonly stage = 'grpo'
  readonly args: ResolvedGRPOArgs
  readonly numRows: number
  readonly maxSteps: number
  readonly fingerprint: string
  readonly #model: VisionLanguageModel
  readonly #rewards: readonly RewardFunc[]
  readonly #queue: PromptQueue
  readonly #objective: ResolvedObjective
  #hasReference = false
  /** First step in which a reward came late: its outcome hung on the clock, so a replay of the run may differ. */
  #firstLateReward: number | undefined
  #ahead: Promise<EncodedRow[]> | undefined
  readonly evaluate?: (native: NativeModel, signal: AbortSignal) => Promise<Record<string, number>>

  constructor(
    model: VisionLanguageModel,
    args: ResolvedGRPOArgs,
    rewards: readonly RewardFunc[],
    dataset: Dataset,
    evalDataset?: Dataset,
  ) {
    this.args = args
    this.numRows = dataset.length
    this.fingerprint = dataset.fingerprint
    this.#model = model
    this.#rewards = rewards
    this.#queue = new PromptQueue(model.processor, dataset, args)
    this.#objective = resolveObjective(args)
    this.maxSteps =
      args.maxSteps >= 0
        ? args.maxSteps
        : Math.max(1, Math.floor((dataset.length * args.numTrainEpochs) / args.promptsPerStep))
    if (evalDataset) this.evaluate = (_, signal) => this.#evaluate(evalDataset, signal)
  }

  async step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult> {
    const { args } = this
    const clock = new Clock()
    await this.#keepReference(native)
    const rows = await (this.#ahead ?? this.#queue.take(args.promptsPerStep))
    this.#ahead = undefined
    const position = this.#queue.position
    clock.lap('data')
    const rollouts = await rollOut(this.#model, rows, args, step, signal)
    // The next prompts are decoded while rewards are given and the engine computes the updates.
    if (step + 1 < this.maxSteps) {
      this.#ahead = this.#queue.take(args.promptsPerStep)
      this.#ahead.catch(() => undefined)
    }
    clock.lap('gen')
    const scores = await callRewards(this.#rewards, args.rewardWeights ?? [], rewardBatch(rollouts, step + 1), {
      timeoutMs: args.rewardTimeoutMs,
      signal,
    })
    clock.lap('reward')
    if (scores.timeouts > 0) this.#firstLateReward ??= step + 1
    this.#refuseUnscorable(scores.total, scores.messages, step + 1)
    const advantages = advantagesOf(scores.total, args, this.#objective)
    const groups = rollouts.map((rollout, g) => toGroup(rollout, advantages, g * args.numGenerations))
    clock.lap('adv')
    if (this.#objective.needsReference) await this.#addLogProbs(native, groups, 'reference', signal)
    clock.lap('ref')
    const chunks = splitGroups(groups, args.stepsPerGeneration).filter(hasAdvantage)
    // The first update's own forward pass yields its old log-probabilities; later ones need them under the weights from before it.
    const later = args.numIterations > 1 ? chunks : chunks.slice(1)
    for (const chunk of later) await this.#addLogProbs(native, chunk, 'old', signal)
    clock.lap('old')

    const updatesPerStep = Math.min(args.stepsPerGeneration, groups.length) * args.numIterations
    const updates: UpdateResult[] = []
    for (let iteration = 0; iteration < args.numIterations; iteration++) {
      for (const chunk of chunks) {
        const rate = learningRate(args, step * updatesPerStep + updates.length, this.maxSteps * updatesPerStep)
        // Once the first update has changed the weights the step runs to its end: half a step could not be resumed.
        const result = await call(
          native.grpoUpdate(chunk, this.#objective.json, args.temperature, rate, updates.length === 0),
          signal,
        )
        updates.push({ ...result, learningRate: rate })
      }
    }
    this.#queue.commit(position)
    clock.lap('update_actor')
    const tokens = rollouts.reduce(
      (sum, { row, completions }) => sum + completions.reduce((n, c) => n + row.prompt.ids.length + c.ids.length, 0),
      0,
    )
    return {
      tokens,
      metrics: {
        ...rolloutMetrics(rollouts, scores, advantages, args),
        ...updateMetrics(updates),
        ...clock.timings(tokens),
        'batch/skipped_rows': this.#queue.tooLong,
        epoch: this.#queue.epoch,
      },
      ...(scores.messages.length > 0 ? { warnings: [{ code: 'E_REWARD', message: scores.messages.join('; ') }] } : {}),
      samples: sampleLines(rollouts, scores.total, advantages),
      ...this.#lateness(),
    }
  }

  save() {
    return { position: this.#queue.committed, ...this.#lateness().facts }
  }

  restore(state: Record<string, unknown>) {
    this.#queue.restore(state.position as { cursor: number; tooLong: number })
    this.#firstLateReward = state.firstLateReward as number | undefined
    // Checkpoints carry the reference weights: a run must not take the trained ones for it.
    this.#hasReference = this.#objective.needsReference
  }

  async close() {
    await this.#ahead?.catch(() => undefined)
  }

  #lateness(): { facts?: { firstLateReward: number } } {
    return this.#firstLateReward === undefined ? {} : { facts: { firstLateReward: this.#firstLateReward } }
  }

  async #keepReference(native: NativeModel): Promise<void> {
    if (!this.#objective.needsReference || this.#hasReference) return
    await call(native.keepReference())
    this.#hasReference = true
  }

  async #addLogProbs(
    native: NativeModel,
    groups: NativeGroup[],
    which: 'old' | 'reference',
    signal: AbortSignal,
  ): Promise<void> {
    const values = await call(native.logProbs(groups, this.args.temperature, which === 'reference'), signal)
    let next = 0
    for (const group of groups) {
      for (const completion of group.completions) {
        if (which === 'reference') completion.refLogProbs = values[next++] as Float64Array
        else completion.oldLogProbs = values[next++] as Float64Array
      }
    }
  }

  #refuseUnscorable(total: readonly (number | null)[], messages: readonly string[], step: number): void {
    const missing = total.filter((value) => value === null).length
    if (missing / total.length <= this.args.maxUnscorable) return
    throw new ColdstartError(
      'E_REWARD_RATE',
      `step ${step}: ${missing} of ${total.length} completions got no reward${messages.length > 0 ? ` (${messages[0]})` : ''}`,
      { hint: 'mend the reward function, or raise maxUnscorable' },
    )
  }

  async #evaluate(dataset: Dataset, signal: AbortSignal): Promise<Record<string, number>> {
    const { args } = this
    const totals: (number | null)[] = []
    const lengths: number[] = []
    for (let first = 0; first < dataset.length; first += args.promptsPerStep) {
      const size = Math.min(args.promptsPerStep, dataset.length - first)
      const rows = await Promise.all(Array.from({ length: size }, (_, i) => this.#queue.encode(dataset.row(first + i))))
      const rollouts = await rollOut(this.#model, rows, { ...args, temperature: 0, numGenerations: 1 }, 0, signal)
      const scores = await callRewards(this.#rewards, args.rewardWeights ?? [], rewardBatch(rollouts, 0), {
        timeoutMs: args.rewardTimeoutMs,
        signal,
      })
      totals.push(...scores.total)
      lengths.push(...rollouts.flatMap(({ completions }) => completions.map(({ ids }) => ids.length)))
    }
    return {
      'val/reward_score': mean(totals.filter((value) => value !== null)),
      'val/unscorable_ratio': mean(totals.map((value) => Number(value === null))),
      'val_response_length/mean': mean(lengths),
    }
  }
}

/** Consecutive whole groups, as even as they can be, in `parts` updates. */
function splitGroups<T>(groups: T[], parts: number): T[][] {
  const size = Math.ceil(groups.length / Math.min(parts, groups.length))
  return Array.from({ length: Math.ceil(groups.length / size) }, (_, i) => groups.slice(i * size, (i + 1) * size))
}

/** Whether any completion has a reward: without one there is nothing to update by. */
function hasAdvantage(groups: NativeGroup[]): boolean {
  return groups.some(({ completions }) => completions.some(({ advantage }) => !Number.isNaN(advantage)))
}

function rewardBatch(rollouts: readonly Rollout[], step: number) {
  const each = <T>(pick: (row: Row, completion: Completion) => T) =>
    rollouts.flatMap(({ row, completions }) => completions.map((completion) => pick(row.row, completion)))
  return {
    prompts: each((row) => row.messages),
    completions: each((_, { text }) => text),
    completionTokens: each((_, { ids }) => ids.length),
    truncated: each((_, { finishReason }) => finishReason === 'length'),
    answers: each((row) => row.answer),
    rows: each((row) => row),
    step,
  }
}

function toGroup({ row, completions }: Rollout, advantages: Float64Array, first: number): NativeGroup {
  return {
    ids: row.prompt.ids,
    images: row.prompt.images,
    completions: completions.map((completion, i) => ({
      ids: completion.ids,
      samplerLogProbs: completion.logProbs,
      truncated: completion.finishReason === 'length',
      advantage: advantages[first + i] as number,
    })),
  }
}

function sampleLines(rollouts: readonly Rollout[], rewards: readonly (number | null)[], advantages: Float64Array) {
  let next = 0
  return rollouts.flatMap(({ row, completions }) =>
    completions.map(({ text, finishReason, ids }, sample) => {
      const i = next++
      return {
        row: row.row.id,
        source: row.row.source,
        sample,
        answer: row.row.answer,
        completion: text,
        tokens: ids.length,
        finishReason,
        reward: rewards[i],
        advantage: advantages[i],
      }
    }),
  )
}

/** Seconds between laps, under the names of the field. */
class Clock {
  readonly #start = performance.now()
  readonly #laps: Record<string, number> = {}
  #last = this.#start

  lap(name: string): void {
    const now = performance.now()
    this.#laps[`timing_s/${name}`] = (now - this.#last) / 1000
    this.#last = now
  }

  timings(tokens: number): Record<string, number> {
    const seconds = (performance.now() - this.#start) / 1000
    return {
      ...this.#laps,
      'timing_s/step': seconds,
      'perf/throughput': tokens / seconds,
      'perf/total_num_tokens': tokens,
    }
  }
}
