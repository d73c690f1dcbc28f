// The answer in the last \boxed{…} of a response, and the rewards that need no more than it.
import { native, unwrap } from '../native/index.js'
import { textOf } from './arguments.js'
import { named } from './traits.js'
import type { RewardBatch } from './types.js'

/**
 * Content of the last `\boxed{…}`, trimmed, its inner braces balanced; null without one, and null when the last one never closes,
 * whatever stood in an earlier one. Linear in the length of the text, of which the last MiB is searched.
 */
export function extractBoxed(text: string): string | null {
  return unwrap(native().extractBoxed(textOf(text, 'text')))
}

/**
 * The answer in a response that need not have a box: the content of the last box, else the formula or number that is most
 * likely meant, such as the one after "the answer is"; null without one. For responses that were not asked for a box; a reward
 * that takes any number for an answer teaches to name many.
 */
export function extractAnswer(response: string): string | null {
  return unwrap(native().extractAnswer(textOf(response, 'response')))
}

/** True when the last boxed answer is `gold`, white space apart. */
export function isBoxed(text: string, gold: string): boolean {
  const answer = extractBoxed(text)
  return answer !== null && squeeze(answer) === squeeze(gold)
}

/**
 * Reward 1 for a completion whose last boxed answer equals the gold answer letter by letter, white space apart, else 0; null
 * for a row without gold. Stricter than `accuracyReward`, for answers that have one spelling only.
 *
 * ```ts
 * new GRPOTrainer({ model, rewardFuncs: exactBoxed, trainDataset: 'sums.jsonl' })
 * ```
 */
export function exactBoxed({ completions, answers }: Pick<RewardBatch, 'completions' | 'answers'>): (number | null)[] {
  return completions.map((completion, i) => {
    const gold = answers[i]
    return gold === undefined ? null : Number(isBoxed(completion, gold))
  })
}

/** Reward 1 for a completion whose last `\boxed{` closes, whatever is in it, else 0. In metrics `boxed`. */
export const boxedReward = named('boxed', ({ completions }: Pick<RewardBatch, 'completions'>): number[] =>
  completions.map((completion) => Number(extractBoxed(completion) !== null)),
)

const squeeze = (text: string): string => text.replace(/\s+/g, '')
