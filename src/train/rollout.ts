// Completions of a step's prompts under the weights of the moment.
import type { VisionLanguageModel } from '../model/model.js'
import type { Completion } from '../model/types.js'
import type { ResolvedGRPOArgs } from './args.js'
import type { EncodedRow } from './row-queue.js'

/** A prompt with its group of completions, in sample order. */
export interface Rollout {
  row: EncodedRow
  completions: Completion[]
}

/** Random numbers are keyed by (seed, step, place in the step, sample, token): a resumed step samples the same completions. */
const PROMPTS_PER_STEP_LIMIT = 2 ** 20

export async function rollOut(
  model: VisionLanguageModel,
  rows: readonly EncodedRow[],
  args: ResolvedGRPOArgs | (Omit<ResolvedGRPOArgs, 'temperature'> & { temperature: number }),
  step: number,
  signal: AbortSignal,
): Promise<Rollout[]> {
  const prompts = rows.map(({ prompt, row }, index) => ({
    prompt,
    key: step * PROMPTS_PER_STEP_LIMIT + index,
    name: row.source,
  }))
  const completions = await model.complete(prompts, {
    seed: args.seed,
    numReturnSequences: args.numGenerations,
    maxNewTokens: args.maxCompletionLength,
    temperature: args.temperature,
    topP: args.topP,
    topK: args.topK,
    minP: args.minP,
    repetitionPenalty: args.repetitionPenalty,
    signal,
  })
  return rows.map((row, index) => ({ row, completions: completions[index] ?? [] }))
}
