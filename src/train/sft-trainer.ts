// Supervised fine-tuning: next-token cross-entropy on the text of assistant turns, averaged over all target tokens of a step.
import type { Dataset } from '../data/dataset.js'
import { asDataset } from '../data/load.js'
import type { DatasetLike } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import type { VisionLanguageModel } from '../model/model.js'
import { call, type NativeModel } from '../native/index.js'
import type { EncodedPrompt } from '../processor/processor.js'
import { type ResolvedSFTArgs, resolveArgs, type SFTArgs, sftArgsSchema } from './args.js'
import type { Logger, TrainEvent, TrainOutput } from './events.js'
import { drain, runStage, type StepResult, type TrainingStage } from './loop.js'
import { RowOrder } from './order.js'
import { learningRate } from './schedule.js'

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
    this.args = resolveArgs(sftArgsSchema, options.args ?? {}, 'SFT arguments')
    this.#options = options
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
    const stage = new SFTStage(model, this.args, dataset, evalDataset)
    return yield* runStage(model, stage, { signal: options.signal, logger })
  }
}

class SFTStage implements TrainingStage {
  readonly stage = 'sft'
  readonly args: ResolvedSFTArgs
  readonly numRows: number
  readonly maxSteps: number
  readonly fingerprint: string
  readonly startOptions: { sftGroup?: number; sftInterleaved?: boolean }
  readonly #model: VisionLanguageModel
  readonly #dataset: Dataset
  readonly #order: RowOrder
  readonly #batchSize: number
  #ahead: Promise<EncodedPrompt[]> | undefined
  #cursor = 0
  readonly evaluate?: (native: NativeModel, signal: AbortSignal) => Promise<Record<string, number>>

  constructor(model: VisionLanguageModel, args: ResolvedSFTArgs, dataset: Dataset, evalDataset?: Dataset) {
    this.args = args
    this.numRows = dataset.length
    this.fingerprint = dataset.fingerprint
    this.#model = model
    this.#dataset = dataset
    this.#order = new RowOrder(dataset.length, args.seed)
    this.#batchSize = args.perDeviceTrainBatchSize * args.gradientAccumulationSteps
    this.maxSteps =
      args.maxSteps >= 0
        ? args.maxSteps
        : Math.max(1, Math.floor((dataset.length * args.numTrainEpochs) / this.#batchSize))
    this.startOptions =
      args.lossAggregation === 'token-mean'
        ? {}
        : { sftGroup: args.aggregationGroup, sftInterleaved: args.aggregationInterleaved }
    if (evalDataset) this.evaluate = (native, signal) => this.#evaluate(native, evalDataset, signal)
  }

  async step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult> {
    const samples = await (this.#ahead ?? this.#nextBatch())
    this.#ahead = undefined
    const consumed = this.#order.cursor
    const rate = learningRate(this.args, step, this.maxSteps)
    const running = call(native.sftStep(samples, rate), signal)
    // The next batch is decoded while the engine computes this one.
    if (step + 1 < this.maxSteps) {
      this.#ahead = this.#nextBatch()
      this.#ahead.catch(() => undefined)
    }
    const result = await running
    this.#cursor = consumed
    return {
      tokens: result.tokens,
      metrics: {
        loss: result.loss,
        token_acc: result.tokenAccuracy,
        grad_norm: result.gradNorm,
        learning_rate: rate,
        epoch: consumed / this.numRows,
        'train/target_tokens': result.targetTokens,
        'train/skipped_updates': result.skipped ? 1 : 0,
      },
    }
  }

  save() {
    return { cursor: this.#cursor }
  }

  restore(state: Record<string, unknown>) {
    this.#cursor = state.cursor as number
    this.#order.cursor = this.#cursor
  }

  async close() {
    await this.#ahead?.catch(() => undefined)
  }

  #nextBatch(): Promise<EncodedPrompt[]> {
    const rows = Array.from({ length: this.#batchSize }, () => this.#order.next())
    return Promise.all(rows.map((index) => this.#encode(this.#dataset, index)))
  }

  #encode(dataset: Dataset, index: number): Promise<EncodedPrompt> {
    const row = dataset.row(index)
    const last = row.messages.at(-1)
    const messages =
      last?.role === 'assistant' || row.answer === undefined
        ? row.messages
        : [...row.messages, { role: 'assistant' as const, content: row.answer }]
    if (messages.at(-1)?.role !== 'assistant') {
      throw new ColdstartError('E_DATA_ROW', `${row.source}: no assistant turn and no answer to train on`)
    }
    const { systemMessage, maxLength } = this.args
    return this.#model.processor.encode(messages, { systemMessage, maxLength, name: row.source })
  }

  async #evaluate(native: NativeModel, dataset: Dataset, signal: AbortSignal): Promise<Record<string, number>> {
    let loss = 0
    let correct = 0
    let tokens = 0
    for (let first = 0; first < dataset.length; first += this.#batchSize) {
      const size = Math.min(this.#batchSize, dataset.length - first)
      const samples = await Promise.all(Array.from({ length: size }, (_, i) => this.#encode(dataset, first + i)))
      const result = await call(native.sftLoss(samples), signal)
      loss += result.loss * result.targetTokens
      correct += result.tokenAccuracy * result.targetTokens
      tokens += result.targetTokens
    }
    return { eval_loss: loss / tokens, eval_token_acc: correct / tokens }
  }
}
