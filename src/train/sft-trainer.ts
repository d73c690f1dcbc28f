// Supervised fine-tuning: next-token cross-entropy on the text of assistant turns, averaged over all target tokens of a step.
import { checked } from '../config/check.js'
import type { Dataset } from '../data/dataset.js'
import { asDataset } from '../data/load.js'
import type { DatasetLike, Row } from '../data/types.js'
import type { VisionLanguageModel } from '../model/model.js'
import { call, type NativeModel } from '../native/index.js'
import type { EncodedPrompt } from '../processor/processor.js'
import { type ResolvedSFTArgs, type SFTArgs, sftArgsSchema } from './args.js'
import { conversationOf, withResponses } from './conversation.js'
import type { Logger, RunOptions, TrainEvent, TrainOutput } from './events.js'
import { drain, logged, runStage } from './loop.js'
import {
  type EncodedRow,
  type Encoding,
  encodingOf,
  evaluationBatches,
  leftOut,
  type QueuePosition,
  RowQueue,
} from './row-queue.js'
import { checkWarmup, learningRate } from './schedule.js'
import type { StepResult, Suspect, TrainingStage } from './stage.js'

/** What an {@link SFTTrainer} works with. */
export interface SFTTrainerOptions {
  model: VisionLanguageModel
  args?: SFTArgs
  /** Rows whose conversations end with an assistant turn, or that carry the answer as `answer` (recipe: `{images, problem, answer}`). */
  trainDataset: DatasetLike | Dataset
  evalDataset?: DatasetLike | Dataset
  logger?: Logger
}

/**
 * ```ts
 * const trainer = new SFTTrainer({ model, trainDataset: 'cold-start.jsonl', args: { outputDir: 'runs/sft', learningRate: 1e-5 } })
 * for await (const event of trainer.run()) if (event.type === 'step') console.log(event.step, event.metrics.loss)
 * ```
 */
export class SFTTrainer {
  readonly args: ResolvedSFTArgs
  readonly #options: SFTTrainerOptions

  /** Throws `E_CONFIG` naming each argument at fault. */
  constructor(options: SFTTrainerOptions) {
    this.args = checked(sftArgsSchema, options.args ?? {}, 'args', 'E_CONFIG')
    this.#options = options
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
    const whole = await asDataset(this.#options.trainDataset)
    const dataset = withResponses(whole)
    const evalDataset =
      this.#options.evalDataset === undefined ? undefined : withResponses(await asDataset(this.#options.evalDataset))
    const stage = new SFTStage(model, this.args, dataset, evalDataset)
    const bad = dataset.skipped.slice(whole.skipped.length)
    if (bad.length > 0) yield { type: 'warning', stage: 'sft', step: 0, code: 'E_DATA_ROW', message: leftOut(bad) }
    return yield* runStage(model, stage, options)
  }
}

class SFTStage implements TrainingStage {
  readonly stage = 'sft'
  readonly args: ResolvedSFTArgs
  readonly numRows: number
  readonly maxSteps: number
  readonly fingerprint: string
  readonly startOptions: { sftGroup?: number; sftInterleaved?: boolean }
  readonly #queue: RowQueue
  readonly #batchSize: number
  #ahead: Promise<EncodedRow[]> | undefined
  /** The rows of the step that runs. */
  #batch: EncodedRow[] = []
  readonly evaluate?: (native: NativeModel, signal: AbortSignal) => Promise<Record<string, number>>

  constructor(model: VisionLanguageModel, args: ResolvedSFTArgs, dataset: Dataset, evalDataset?: Dataset) {
    this.args = args
    this.numRows = dataset.length
    this.fingerprint = dataset.fingerprint
    const { systemMessage, maxLength } = args
    const encode = async (row: Row) =>
      // Rows without a response were left out before.
      model.processor.encode(conversationOf(row) ?? row.messages, { systemMessage, maxLength, name: row.source })
    this.#queue = new RowQueue(dataset, args.seed, encodingOf(dataset, encode))
    this.#batchSize = args.perDeviceTrainBatchSize * args.gradientAccumulationSteps
    this.maxSteps =
      args.maxSteps >= 0
        ? args.maxSteps
        : Math.max(1, Math.floor((dataset.length * args.numTrainEpochs) / this.#batchSize))
    checkWarmup(args, this.maxSteps)
    this.startOptions =
      args.lossAggregation === 'token-mean'
        ? {}
        : { sftGroup: args.aggregationGroup, sftInterleaved: args.aggregationInterleaved }
    if (evalDataset) {
      const encoding = encodingOf(evalDataset, encode)
      this.evaluate = (native, signal) => this.#evaluate(native, evalDataset, encoding, signal)
    }
  }

  async step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult> {
    this.#batch = await (this.#ahead ?? this.#queue.take(this.#batchSize))
    this.#ahead = undefined
    const position = this.#queue.position
    const warnings = this.#queue.warnings()
    const rate = learningRate(this.args, step, this.maxSteps)
    const running = call(native.sftStep(samplesOf(this.#batch), rate), signal)
    // The next batch is decoded while the engine computes this one.
    if (step + 1 < this.maxSteps) {
      this.#ahead = this.#queue.take(this.#batchSize)
      this.#ahead.catch(() => undefined)
    }
    const result = await running
    this.#queue.commit(position)
    return {
      tokens: result.tokens,
      warnings,
      metrics: {
        loss: result.loss,
        token_acc: result.tokenAccuracy,
        grad_norm: result.gradNorm,
        learning_rate: rate,
        epoch: this.#queue.epoch,
        'train/target_tokens': result.targetTokens,
        'train/skipped_updates': result.skipped ? 1 : 0,
        'batch/skipped_rows': this.#queue.skipped,
      },
    }
  }

  async suspects(native: NativeModel): Promise<Suspect[]> {
    const suspects: Suspect[] = []
    for (const { row, prompt } of this.#batch) {
      const { loss, targetTokens } = await call(native.sftLoss([prompt]))
      suspects.push({
        source: row.source,
        isAtFault: !Number.isFinite(loss),
        // JSON has no NaN.
        facts: { row: row.id, loss: String(loss), targetTokens, ids: [...prompt.ids] },
      })
    }
    return suspects
  }

  save() {
    return { ...this.#queue.committed }
  }

  restore(state: Record<string, unknown>) {
    this.#queue.restore(state as unknown as QueuePosition)
  }

  async close() {
    await this.#ahead?.catch(() => undefined)
  }

  async #evaluate(
    native: NativeModel,
    dataset: Dataset,
    encoding: Encoding,
    signal: AbortSignal,
  ): Promise<Record<string, number>> {
    let loss = 0
    let correct = 0
    let tokens = 0
    let left = 0
    for await (const { encoded, skipped } of evaluationBatches(dataset, this.#batchSize, encoding)) {
      signal.throwIfAborted()
      left += skipped
      if (encoded.length === 0) continue
      const result = await call(native.sftLoss(samplesOf(encoded)), signal)
      loss += result.loss * result.targetTokens
      correct += result.tokenAccuracy * result.targetTokens
      tokens += result.targetTokens
    }
    return {
      eval_loss: loss / tokens,
      eval_token_acc: correct / tokens,
      ...(left > 0 ? { eval_skipped_rows: left } : {}),
    }
  }
}

const samplesOf = (rows: readonly EncodedRow[]): EncodedPrompt[] => rows.map(({ prompt }) => prompt)
