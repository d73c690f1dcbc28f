// Group relative policy optimization: sample a group of completions for every prompt, reward them, push towards the better ones.
import { checked } from '../config/check.js'
import type { Dataset } from '../data/dataset.js'
import { asDataset } from '../data/load.js'
import { questionOf } from '../data/question.js'
import type { DatasetLike, Row } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import type { VisionLanguageModel } from '../model/model.js'
import type { Completion } from '../model/types.js'
import { call, type NativeGroup, type NativeModel } from '../native/index.js'
import { callRewards } from '../reward/call.js'
import { identityOf } from '../reward/traits.js'
import type { RewardFunc } from '../reward/types.js'
import { advantagesOf, type ResolvedObjective, resolveObjective } from './advantages.js'
import { type GRPOArgs, grpoArgsSchema, type ResolvedGRPOArgs } from './args.js'
import type { Logger, RunOptions, TrainEvent, TrainOutput } from './events.js'
import { goldWarnings } from './gold-warning.js'
import { drain, logged, runStage } from './loop.js'
import { mean, rolloutMetrics, type UpdateResult, updateMetrics } from './metrics.js'
import { type Rollout, rollOut } from './rollout.js'
import {
  type EncodedRow,
  type Encoding,
  encodingOf,
  evaluationBatches,
  type QueuePosition,
  RowQueue,
} from './row-queue.js'
import { checkWarmup, learningRate } from './schedule.js'
import type { StepResult, Suspect, TrainingStage } from './stage.js'

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
    this.args = checked(grpoArgsSchema, options.args ?? {}, 'args', 'E_CONFIG')
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
    const { stepsPerGeneration, promptsPerStep } = this.args
    if (stepsPerGeneration > promptsPerStep) {
      throw new ColdstartError(
        'E_CONFIG',
        `stepsPerGeneration: expected at most promptsPerStep ${promptsPerStep}, since every update takes whole groups, got ${stepsPerGeneration}`,
      )
    }
  }

  /** Trains to the end. Rejects with `signal.reason` when aborted, after a checkpoint if the run writes files. */
  train(options: RunOptions = {}): Promise<TrainOutput> {
    return drain(this.run(options))
  }

  /** The same as {@link train}, as events. Leaving the loop ends the run. */
  run(options: RunOptions = {}): AsyncGenerator<TrainEvent, TrainOutput, void> {
    return logged(this.#run(options), this.#options.logger)
  }

  async *#run(options: RunOptions): AsyncGenerator<TrainEvent, TrainOutput, void> {
    const { model } = this.#options
    const dataset = await asDataset(this.#options.trainDataset)
    const evalDataset = this.#options.evalDataset === undefined ? undefined : await asDataset(this.#options.evalDataset)
    const stage = new GRPOStage(model, this.args, this.#rewards, dataset, evalDataset)
    for (const warning of await goldWarnings(this.#rewards, dataset)) yield warning
    return yield* runStage(model, stage, options)
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
  readonly settings: Record<string, unknown>
  readonly #queue: RowQueue
  readonly #objective: ResolvedObjective
  #hasReference = false
  /** First step in which a reward came late: its outcome hung on the clock, so a replay of the run may differ. */
  #firstLateReward: number | undefined
  #ahead: Promise<EncodedRow[]> | undefined
  /** The prompts of the step that runs, and from their rewards on its completions. */
  #running: { rows: EncodedRow[]; groups: NativeGroup[]; lines: SampleLine[] } | undefined
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
    this.settings = { rewards: rewards.map(identityOf) }
    const { systemMessage, maxPromptLength: maxLength } = args
    const encode = async (row: Row) =>
      model.processor.encode(questionOf(row), {
        addGenerationPrompt: true,
        systemMessage,
        maxLength,
        name: row.source,
      })
    this.#queue = new RowQueue(dataset, args.seed, encodingOf(dataset, encode, 'E_TOO_LONG'))
    this.#objective = resolveObjective(args)
    this.maxSteps =
      args.maxSteps >= 0
        ? args.maxSteps
        : Math.max(1, Math.floor((dataset.length * args.numTrainEpochs) / args.promptsPerStep))
    checkWarmup(args, this.maxSteps * args.stepsPerGeneration * args.numIterations)
    if (evalDataset) {
      const encoding = encodingOf(evalDataset, encode, 'E_TOO_LONG')
      this.evaluate = (_, signal) => this.#evaluate(evalDataset, encoding, signal)
    }
  }

  async step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult> {
    const { args } = this
    const clock = new Clock()
    await this.#keepReference(native)
    const rows = await (this.#ahead ?? this.#queue.take(args.promptsPerStep))
    this.#ahead = undefined
    this.#running = { rows, groups: [], lines: [] }
    const position = this.#queue.position
    const warnings = this.#queue.warnings()
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
    const samples = sampleLines(rollouts, scores.total, advantages)
    this.#running = { rows, groups, lines: samples }
    clock.lap('adv')
    if (this.#objective.needsReference) await this.#addLogProbs(native, groups, 'reference', signal)
    clock.lap('ref')
    const chunks = splitGroups(groups, args.stepsPerGeneration).filter(hasAdvantage)
    // The first update's own forward pass yields its old log-probabilities; later ones need them under the weights from before it.
    const later = args.numIterations > 1 ? chunks : chunks.slice(1)
    for (const chunk of later) await this.#addLogProbs(native, chunk, 'old', signal)
    clock.lap('old')

    const updatesPerStep = args.stepsPerGeneration * args.numIterations
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
    this.#running = undefined
    clock.lap('update_actor')
    const tokens = rollouts.reduce(
      (sum, { row, completions }) => sum + completions.reduce((n, c) => n + row.prompt.ids.length + c.ids.length, 0),
      0,
    )
    return {
      tokens,
      metrics: {
        ...updateMetrics(updates),
        // After them: an update sees a part of the rollout, and names some of the same measures.
        ...rolloutMetrics(rollouts, scores, advantages, args),
        ...clock.timings(tokens),
        'batch/skipped_rows': this.#queue.skipped,
        epoch: this.#queue.epoch,
      },
      warnings: [
        ...warnings,
        ...(scores.messages.length > 0 ? [{ code: 'E_REWARD', message: scores.messages.join('; ') }] : []),
      ],
      samples,
      ...this.#lateness(),
    }
  }

  async suspects(native: NativeModel): Promise<Suspect[]> {
    if (this.#running === undefined) return []
    const { rows, groups, lines } = this.#running
    if (groups.length === 0) {
      return rows.map(({ row, prompt }) => ({
        source: row.source,
        isAtFault: false,
        facts: { row: row.id, promptIds: [...prompt.ids] },
      }))
    }
    // Earlier updates of the step have changed the weights since the completions were scored.
    const now = await call(native.logProbs(groups, this.args.temperature, false))
    return groups
      .flatMap((group) => group.completions)
      .map((completion, i) => {
        const { oldLogProbs, refLogProbs, samplerLogProbs } = completion
        const known = { now: now[i], old: oldLogProbs, reference: refLogProbs, sampler: samplerLogProbs }
        const logProbs = Object.entries(known).flatMap(([name, values]) => (values ? [[name, rangeOf(values)]] : []))
        const isAtFault = Object.values(known).some((values) => values?.some((value) => !Number.isFinite(value)))
        const { source, ...line } = lines[i] as SampleLine
        return {
          source,
          isAtFault,
          facts: { ...line, ids: [...completion.ids], logProbs: Object.fromEntries(logProbs) },
        }
      })
  }

  save() {
    return { position: this.#queue.committed, hasReference: this.#hasReference, ...this.#lateness().facts }
  }

  restore(state: Record<string, unknown>) {
    this.#queue.restore(state.position as QueuePosition)
    this.#firstLateReward = state.firstLateReward as number | undefined
    // A checkpoint carries the reference weights, which a run must not replace by the trained ones, unless it is from before step 1.
    this.#hasReference = state.hasReference === true
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

  async #evaluate(dataset: Dataset, encoding: Encoding, signal: AbortSignal): Promise<Record<string, number>> {
    const { args } = this
    const totals: (number | null)[] = []
    const lengths: number[] = []
    let [left, errors, timeouts] = [0, 0, 0]
    for await (const { encoded, skipped } of evaluationBatches(dataset, args.promptsPerStep, encoding)) {
      left += skipped
      if (encoded.length === 0) continue
      const rollouts = await rollOut(this.#model, encoded, { ...args, temperature: 0, numGenerations: 1 }, 0, signal)
      const scores = await callRewards(this.#rewards, args.rewardWeights ?? [], rewardBatch(rollouts, 0), {
        timeoutMs: args.rewardTimeoutMs,
        signal,
      })
      totals.push(...scores.total)
      errors += scores.errors
      timeouts += scores.timeouts
      lengths.push(...rollouts.flatMap(({ completions }) => completions.map(({ ids }) => ids.length)))
    }
    const known = totals.filter((value) => value !== null)
    return {
      // Nothing scored is no score of 0.
      ...(known.length > 0 ? { 'val/reward_score': mean(known) } : {}),
      'val/reward_errors': errors,
      'val/reward_timeouts': timeouts,
      'val/unscorable_ratio': mean(totals.map((value) => Number(value === null))),
      'val_response_length/mean': mean(lengths),
      ...(left > 0 ? { 'val/skipped_rows': left } : {}),
    }
  }
}

/** Consecutive whole groups, as even as they can be, in `parts` updates. */
function splitGroups<T>(groups: T[], parts: number): T[][] {
  const start = (part: number) => Math.floor((part * groups.length) / parts)
  return Array.from({ length: parts }, (_, part) => groups.slice(start(part), start(part + 1)))
}

/** The least and the greatest value, as text since JSON has no NaN. */
function rangeOf(values: Float32Array | Float64Array): string[] {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)]
  return [String(low), String(high)]
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

interface SampleLine extends Record<string, unknown> {
  source: string
}

function sampleLines(
  rollouts: readonly Rollout[],
  rewards: readonly (number | null)[],
  advantages: Float64Array,
): SampleLine[] {
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
