/** The model's answers to rows that have none yet, each stored when it ends. */

import type { Message } from '../../data/types.js'
import type { VisionLanguageModel } from '../../model/model.js'
import type { Completion, GenerateOptions } from '../../model/types.js'
import type { PromptText, Sampling } from '../types.js'
import { promptHash } from './fingerprints.js'
import type { ResponseLine } from './types.js'

/** A row to answer. */
export interface Question {
  /** Number in the data: names the random numbers, so that a response depends on neither batches nor interruptions. */
  index: number
  id: string
  source: string
  prompt: PromptText
}

/** How to answer. */
export interface AnswerOptions {
  model: VisionLanguageModel
  sampling: Sampling & { seed: number }
  /** Rows whose images and caches are in memory together. */
  batchSize: number
  signal?: AbortSignal | undefined
  /** Stores a response. Awaited before the next batch begins. */
  store: (line: ResponseLine) => Promise<void>
}

/**
 * Answers all questions. Aborted, it keeps what has ended.
 *
 * @throws the signal's reason; `E_BUSY` while a trainer has the model; the codes of encoding and generation, naming the row.
 */
export function answer(questions: readonly Question[], options: AnswerOptions): Promise<void> {
  return options.model.reading('evaluation', () => answerAll(questions, options))
}

async function answerAll(questions: readonly Question[], options: AnswerOptions): Promise<void> {
  const { model, batchSize, signal } = options
  let before = performance.now()
  for (let first = 0; first < questions.length; first += batchSize) {
    signal?.throwIfAborted()
    const batch = questions.slice(first, first + batchSize)
    const prompts = await Promise.all(
      batch.map(async ({ index, source, prompt: { system, ...prompt } }) => {
        const encoded = await model.processor.encode(await messagesOf(prompt), {
          addGenerationPrompt: true,
          systemMessage: system,
          name: source,
        })
        return { key: index, name: source, prompt: encoded, maxNewTokens: roomFor(encoded.ids.length, options) }
      }),
    )
    const stored: Promise<void>[] = []
    const finished = (at: number, completion: Completion): void => {
      const now = performance.now()
      const line = lineOf(batch[at]!, prompts[at]!.prompt.ids.length, completion, (now - before) / 1000)
      before = now
      const storing = options.store(line)
      // A failed write is thrown below, together with whatever else ended the batch.
      storing.catch(() => {})
      stored.push(storing)
    }
    try {
      await model.complete(prompts, generateOptions(options), finished)
    } finally {
      await Promise.allSettled(stored)
    }
    await Promise.all(stored)
  }
}

/**
 * Tokens of a response: as many as the protocol has, or as the model's context leaves beside a long prompt. Such a response ends at its
 * length limit and is counted as cut; one long row does not end a run. A prompt that leaves none is the engine's `E_TOO_LONG`.
 */
function roomFor(promptTokens: number, { model, sampling }: AnswerOptions): number {
  const context = contextOf(model.config)
  return context === undefined
    ? sampling.maxNewTokens
    : Math.max(1, Math.min(sampling.maxNewTokens, context - promptTokens))
}

function contextOf(config: Readonly<Record<string, unknown>>): number | undefined {
  const text = (config.text_config ?? {}) as Record<string, unknown>
  const tokens = text.max_position_embeddings ?? config.max_position_embeddings
  return typeof tokens === 'number' ? tokens : undefined
}

/** Images, then the text, as parts: what looks like a placeholder in the text stays text. */
async function messagesOf({ images, text }: PromptText): Promise<Message[]> {
  const inputs = await Promise.all(images.map((image) => image.read()))
  const content = [...inputs.map((image) => ({ type: 'image' as const, image })), { type: 'text' as const, text }]
  return [{ role: 'user', content }]
}

function generateOptions({ sampling, signal }: AnswerOptions): GenerateOptions {
  const { temperature, topP, topK, repetitionPenalty, maxNewTokens, seed } = sampling
  return { temperature, topP, topK, repetitionPenalty, maxNewTokens, seed, signal }
}

function lineOf(question: Question, promptTokens: number, completion: Completion, seconds: number): ResponseLine {
  return {
    id: question.id,
    promptHash: promptHash(question.prompt),
    response: completion.text,
    finishReason: completion.finishReason,
    promptTokens,
    tokens: completion.ids.length,
    seconds: Number(seconds.toFixed(3)),
  }
}
