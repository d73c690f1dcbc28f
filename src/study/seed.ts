// The four arms of one seed: base model, reinforcement learning alone, cold start, cold start and reinforcement learning.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { evaluate } from '../eval/evaluate.js'
import { wilson } from '../eval/interval.js'
import { VisionLanguageModel } from '../model/model.js'
import { exactBoxed, isBoxed } from '../reward/boxed.js'
import { GRPOTrainer } from '../train/grpo-trainer.js'
import { SFTTrainer } from '../train/sft-trainer.js'
import type { StudyData } from './data.js'
import type { Progress } from './progress.js'
import {
  EVAL_COMPLETION_LENGTH,
  generationConfig,
  modelConfig,
  preprocessor,
  reinforcementArgs,
  type Scale,
  supervisedArgs,
  TABLE_DIGITS,
} from './recipe.js'
import { otherLengths, setNames } from './sets.js'
import { ARMS, type Arm, type Curve, type StudyEvent } from './types.js'
import { tokenizer } from './vocabulary.js'

/** What one seed needs to know. */
export interface SeedContext {
  seed: number
  seeds: number
  scale: Scale
  data: StudyData
  /** Folder of this seed; each stage gets one in it. */
  folder: string
  progress: Progress
  emit: (event: StudyEvent) => void
  signal: AbortSignal | undefined
}

/** Verdicts and texts on one held-out set, in the order of its rows. */
export interface Answers {
  responses: string[]
  correct: boolean[]
  truncated: number
}

/** What one seed leaves. */
export interface SeedResult {
  arms: Record<Arm, { table: Answers; otherLengths: { digits: number; answers: Answers }[] }>
  /** The base model reading the table's images. */
  reading: Answers
  stages: Record<Arm, { seconds: number; tokens: number }>
  curves: Curve[]
  parameters: number
  evalSeconds: number
}

/** Name of a stage's folder. */
const stageFolder = (arm: Arm): string => arm.replace('+', '-')

/** Runs everything of one seed. Rejects with the signal's reason when aborted. */
export async function runSeed(context: SeedContext): Promise<SeedResult> {
  const seed = new SeedRun(context)
  const base = await VisionLanguageModel.fromConfig(modelConfig(), {
    seed: context.seed,
    tokenizer: tokenizer(),
    preprocessor: preprocessor(),
    generationConfig: generationConfig(),
  })
  try {
    seed.result.parameters = base.numParameters().total
    await seed.arm(base, 'base')
    seed.result.reading = await seed.read(base)
    await seed.arm(base, 'rl')
  } finally {
    await base.close()
  }
  const model = await VisionLanguageModel.fromPretrained(seed.modelFolder('base'))
  try {
    await seed.arm(model, 'sft')
    await seed.arm(model, 'sft+rl')
  } finally {
    await model.close()
  }
  return seed.result as SeedResult
}

class SeedRun {
  readonly result: Pick<SeedResult, 'curves' | 'evalSeconds'> & {
    arms: Partial<SeedResult['arms']>
    stages: Partial<SeedResult['stages']>
    reading?: Answers
    parameters?: number
  } = { arms: {}, stages: {}, curves: [], evalSeconds: 0 }
  readonly #context: SeedContext

  constructor(context: SeedContext) {
    this.#context = context
  }

  modelFolder(arm: Arm): string {
    return join(this.#context.folder, stageFolder(arm), 'model')
  }

  /** Trains `model` on as this arm says, saves it and judges it. */
  async arm(model: VisionLanguageModel, arm: Arm): Promise<void> {
    await this.#train(model, arm)
    await model.savePretrained(this.modelFolder(arm))
    // A stage of a study is never resumed, and its optimizer state is three times the size of the model.
    await rm(join(this.#context.folder, stageFolder(arm), 'checkpoints'), { recursive: true })
    const began = performance.now()
    const table = await this.#answer(model, arm, setNames.heldOut(TABLE_DIGITS), 'sums')
    const others = []
    for (const digits of otherLengths) {
      others.push({ digits, answers: await this.#answer(model, arm, setNames.heldOut(digits)) })
    }
    const seconds = (performance.now() - began) / 1000
    this.result.evalSeconds += seconds
    this.result.arms[arm] = { table, otherLengths: others }
    const right = table.correct.filter(Boolean).length
    const n = table.correct.length
    this.#context.emit({
      type: 'arm',
      seed: this.#context.seed,
      arm,
      accuracy: right / n,
      n,
      ci95: wilson(right, n),
      seconds,
    })
  }

  /** Has the base model read the table's images instead of adding them up. */
  async read(model: VisionLanguageModel): Promise<Answers> {
    const began = performance.now()
    const answers = await this.#answer(
      model,
      'base',
      setNames.heldOutReading,
      'reading',
      (text, gold) => text.trim() === gold,
    )
    this.result.evalSeconds += (performance.now() - began) / 1000
    return answers
  }

  async #train(model: VisionLanguageModel, arm: Arm): Promise<void> {
    const { seed, scale, data, emit, progress, signal } = this.#context
    const outputDir = join(this.#context.folder, stageFolder(arm))
    const trainer =
      arm === 'base' || arm === 'sft'
        ? new SFTTrainer({
            model,
            args: { ...supervisedArgs(scale, arm, seed), outputDir },
            trainDataset: data.path(arm === 'base' ? setNames.base : setNames.coldStart(seed)),
          })
        : new GRPOTrainer({
            model,
            rewardFuncs: exactBoxed,
            args: { ...reinforcementArgs(scale, arm, seed), outputDir },
            trainDataset: data.path(setNames.sums),
          })
    const kind = trainer instanceof SFTTrainer ? 'sft' : 'grpo'
    const metric = kind === 'sft' ? 'loss' : 'reward/overall'
    const stages = ARMS.length * this.#context.seeds
    const index = ARMS.length * seed + ARMS.indexOf(arm) + 1
    const values: number[] = []
    const spent = { seconds: 0, tokens: 0 }
    for await (const event of trainer.run(signal ? { signal } : {})) {
      if (event.type === 'start')
        emit({ type: 'stage', seed, stage: arm, kind, maxSteps: event.maxSteps, index, stages })
      if (event.type !== 'step') continue
      const { step, maxSteps, metrics, tokens, seconds } = event
      const value = metrics[metric] ?? Number.NaN
      values.push(value)
      spent.seconds += seconds
      spent.tokens += tokens
      progress.step(arm)
      emit({
        type: 'step',
        seed,
        stage: arm,
        step,
        maxSteps,
        ...(kind === 'sft' ? { loss: value } : { reward: value }),
        tokensPerSecond: tokens / seconds,
        secondsLeft: progress.secondsLeft,
      })
    }
    this.result.stages[arm] = spent
    this.result.curves.push({ seed, stage: arm, metric, values })
  }

  /** Greedy answers to a held-out set, kept as `answers-<name>.jsonl` in the stage's folder when they have a name. */
  async #answer(
    model: VisionLanguageModel,
    arm: Arm,
    set: string,
    name?: string,
    isCorrect: (text: string, gold: string) => boolean = isBoxed,
  ): Promise<Answers> {
    const { seed, data, emit, progress, signal, folder } = this.#context
    let counted = 0
    const result = await evaluate({
      model,
      dataset: data.path(set),
      score: (completion, row) => isCorrect(completion, row.answer ?? ''),
      generate: { temperature: 0, maxNewTokens: EVAL_COMPLETION_LENGTH, systemMessage: false },
      onProgress: (done, total) => {
        progress.answers(done - counted)
        counted = done
        emit({ type: 'eval', seed, arm, done, total, secondsLeft: progress.secondsLeft })
      },
      ...(signal ? { signal } : {}),
    })
    if (name !== undefined) {
      const lines = result.rows.map((row) => `${JSON.stringify(row)}\n`).join('')
      await writeFile(join(folder, stageFolder(arm), `answers-${name}.jsonl`), lines)
    }
    return {
      responses: result.rows.map((row) => row.response),
      correct: result.rows.map((row) => row.score === 1),
      truncated: result.truncated,
    }
  }
}
