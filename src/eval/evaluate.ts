// Accuracy of a model over a data set: generate, score, interval. What "right" means is the caller's function.
import { z } from 'zod'
import { checked } from '../config/check.js'
import type { Dataset } from '../data/dataset.js'
import { asDataset } from '../data/load.js'
import { questionOf } from '../data/question.js'
import type { DatasetLike, Row } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import { generateOptionsSchema } from '../model/arguments.js'
import type { VisionLanguageModel } from '../model/model.js'
import type { GenerateOptions } from '../model/types.js'
import { wilson } from './interval.js'

/** What {@link evaluate} needs to know. */
export interface EvaluateOptions {
  model: VisionLanguageModel
  dataset: DatasetLike | Dataset
  /** True or 1 for right, false or 0 for wrong, null for unscorable. May be asynchronous. */
  score: (completion: string, row: Row) => boolean | number | null | Promise<boolean | number | null>
  /** Greedy with 512 tokens by default. */
  generate?: Omit<GenerateOptions, 'signal' | 'numReturnSequences'>
  /** Rows generated together. Default 64. */
  batchSize?: number
  signal?: AbortSignal
  /** Called after each batch with the rows done and their total. */
  onProgress?: (done: number, total: number) => void
}

/** A row with what the model said and how it was scored. */
export interface EvaluatedRow {
  id: string
  source: string
  answer?: string
  response: string
  /** 1 right, 0 wrong, null unscorable. */
  score: number | null
  finishReason: 'stop' | 'length'
}

/** Accuracy with its interval, and every row behind it. */
export interface EvalResult {
  /** `correct / n`; unscorable rows count as not right. */
  accuracy: number
  n: number
  /** Sum of scores. */
  correct: number
  unscorable: number
  /** Responses cut at the length limit. */
  truncated: number
  /** 95 % Wilson interval of `accuracy`. */
  ci95: [low: number, high: number]
  rows: EvaluatedRow[]
  seconds: number
  /** Tokens of prompts and responses. */
  tokens: number
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

const optionsSchema = z.strictObject(
  {
    // By what is called: importing the class would load the image library for those who only score.
    model: z.custom<VisionLanguageModel>(
      (value) => isFunction((value as Partial<VisionLanguageModel> | null | undefined)?.complete),
      'expected a VisionLanguageModel',
    ),
    dataset: z.custom<DatasetLike | Dataset>(
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
      'expected a path, a list of rows or a Dataset',
    ),
    score: z.custom<EvaluateOptions['score']>(isFunction, 'expected a function of completion and row'),
    generate: generateOptionsSchema.omit({ signal: true, numReturnSequences: true }).optional(),
    batchSize: z.int().min(1).optional(),
    signal: generateOptionsSchema.shape.signal,
    onProgress: z.custom<EvaluateOptions['onProgress']>(isFunction, 'expected a function').optional(),
  } satisfies Record<keyof EvaluateOptions, z.ZodType>,
  'expected an object of options',
)

/**
 * Throws `E_CONFIG` naming the option at fault, `E_BUSY` while a trainer has the model, `E_CLOSED` when the model was closed, `E_REWARD`
 * for a score that is none, and the codes of `loadDataset` and of encoding, naming the row. While it runs, no trainer gets the model.
 *
 * ```ts
 * const { accuracy, ci95 } = await evaluate({ model, dataset: 'test.jsonl', score: (text, row) => text.trim() === row.answer })
 * ```
 */
export async function evaluate(options: EvaluateOptions): Promise<EvalResult> {
  checked(optionsSchema, options, 'options', 'E_CONFIG')
  return options.model.reading('evaluate', () => evaluated(options))
}

async function evaluated(options: EvaluateOptions): Promise<EvalResult> {
  const { model, score, signal } = options
  const dataset = await asDataset(options.dataset)
  const batchSize = options.batchSize ?? 64
  const generate: GenerateOptions = { temperature: 0, ...options.generate, ...(signal ? { signal } : {}) }
  const began = performance.now()
  const rows: EvaluatedRow[] = []
  let tokens = 0
  for (let first = 0; first < dataset.length; first += batchSize) {
    signal?.throwIfAborted()
    const batch = Array.from({ length: Math.min(batchSize, dataset.length - first) }, (_, i) => dataset.row(first + i))
    const prompts = await Promise.all(
      batch.map(async (row, i) => ({
        key: first + i,
        prompt: await model.processor.encode(questionOf(row), {
          addGenerationPrompt: true,
          systemMessage: generate.systemMessage,
          maxLength: generate.maxPromptLength,
          name: row.source,
          signal,
        }),
      })),
    )
    const completions = await model.complete(prompts, generate)
    for (const [i, row] of batch.entries()) {
      const completion = completions[i]?.[0]
      if (!completion) continue
      tokens += (prompts[i]?.prompt.ids.length ?? 0) + completion.ids.length
      rows.push({
        id: row.id,
        source: row.source,
        ...(row.answer === undefined ? {} : { answer: row.answer }),
        response: completion.text,
        score: checkedScore(await score(completion.text, row), row),
        finishReason: completion.finishReason,
      })
    }
    options.onProgress?.(rows.length, dataset.length)
  }
  const correct = rows.reduce((sum, row) => sum + (row.score ?? 0), 0)
  return {
    accuracy: correct / rows.length,
    n: rows.length,
    correct,
    unscorable: rows.filter((row) => row.score === null).length,
    truncated: rows.filter((row) => row.finishReason === 'length').length,
    ci95: wilson(correct, rows.length),
    rows,
    seconds: (performance.now() - began) / 1000,
    tokens,
  }
}

function checkedScore(value: boolean | number | null, row: Row): number | null {
  if (value === null) return null
  const number = Number(value)
  if (number >= 0 && number <= 1) return number
  throw new ColdstartError(
    'E_REWARD',
    `${row.source}: a score is true, false, a number from 0 to 1 or null; got ${String(value)}`,
  )
}
