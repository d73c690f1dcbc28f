// The answer in the last \boxed{…} of a response, and the reward that compares it letter by letter.
import type { RewardBatch } from './types.js'

const MARKER = '\\boxed{'
/** Characters of a response that are searched, counted from its end. */
const SEARCHED = 1024 * 1024

/**
 * Content of the last `\boxed{…}`, trimmed, its inner braces balanced; null without one, and null when the last one never closes,
 * whatever stood in an earlier one. Linear in the length of the text.
 */
export function extractBoxed(text: string): string | null {
  const searched = text.slice(-SEARCHED)
  const marker = searched.lastIndexOf(MARKER)
  if (marker < 0) return null
  const start = marker + MARKER.length
  let depth = 1
  for (let i = start; i < searched.length; i++) {
    const character = searched[i]
    if (character === '{') depth++
    else if (character === '}' && --depth === 0) return searched.slice(start, i).trim()
  }
  return null
}

/** True when the last boxed answer is `gold`, white space apart. */
export function isBoxed(text: string, gold: string): boolean {
  const answer = extractBoxed(text)
  return answer !== null && squeeze(answer) === squeeze(gold)
}

/**
 * Reward 1 for a completion whose last boxed answer equals the gold answer, white space apart, else 0; null for a row without gold.
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

const squeeze = (text: string): string => text.replace(/\s+/g, '')
