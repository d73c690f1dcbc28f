// Rewards for length, in tokens as sampled.
import { ColdstartError } from '../errors.js'
import { accuracies } from './accuracy.js'
import { extractBoxed } from './boxed.js'
import type { GradeOptions } from './grade.js'
import { named, withTraits } from './traits.js'
import type { RewardBatch, RewardFunc } from './types.js'

/** Where the penalty of {@link softOverlongReward} begins and ends. */
export interface SoftOverlongOptions {
  /** Length in tokens from which the penalty is full: the trainer's argument of this name. */
  maxCompletionLength: number
  /** Tokens before it over which the penalty grows. */
  bufferLength: number
  /** Full penalty. Default 1. */
  factor?: number | undefined
}

/**
 * The soft overlong penalty of DAPO (arXiv 2503.14476, eq. 13), to be added to other rewards. With `n` tokens, limit `L` and
 * buffer `B`:
 *
 *     0 if n ≤ L − B;   factor · (L − B − n)/B up to L;   −factor beyond
 *
 * In metrics `soft_overlong`.
 *
 * @throws ColdstartError `E_CONFIG` unless 0 < bufferLength ≤ maxCompletionLength.
 */
export function softOverlongReward({ maxCompletionLength, bufferLength, factor = 1 }: SoftOverlongOptions): RewardFunc {
  if (!(bufferLength > 0 && bufferLength <= maxCompletionLength)) {
    throw new ColdstartError(
      'E_CONFIG',
      `bufferLength: expected more than 0 and at most maxCompletionLength ${maxCompletionLength}, got ${bufferLength}`,
    )
  }
  const free = maxCompletionLength - bufferLength
  const reward = ({ completionTokens }: RewardBatch) =>
    completionTokens.map((n) => (n <= free ? 0 : factor * Math.max(-1, (free - n) / bufferLength)))
  return withTraits(named('soft_overlong', reward), { options: { maxCompletionLength, bufferLength, factor } })
}

/**
 * The length reward of Kimi k1.5 (arXiv 2501.12599, section 2.3.3), to be added to other rewards: among the completions of a
 * prompt, short ones are better, but a wrong one gains nothing by being short. With `n` tokens, shortest and longest of the
 * group `min` and `max`, and boxed answers graded:
 *
 *     λ = 0.5 − (n − min)/(max − min);   λ if right, min(0, λ) if wrong;   0 for all if max = min
 *
 * Null for a row without gold. In metrics `length`.
 */
export function lengthReward({ profile = 'mathruler' }: GradeOptions = {}): RewardFunc {
  const reward = named('length', async (batch: RewardBatch): Promise<(number | null)[]> => {
    const accuracy = await accuracies(batch, extractBoxed, profile)
    const shortness = groupsOf(batch.rows).flatMap(([first, end]) =>
      shortnessOf(batch.completionTokens.slice(first, end)),
    )
    return accuracy.map((value, i) => {
      const lambda = shortness[i] ?? 0
      if (value === 1) return lambda
      return value === 0 ? Math.min(0, lambda) : value
    })
  })
  return withTraits(reward, { profiles: [profile] })
}

/** λ of each length of a group. */
function shortnessOf(lengths: readonly number[]): number[] {
  const [min, max] = lengths.reduce(([low, high], n) => [Math.min(low, n), Math.max(high, n)], [Infinity, -Infinity])
  return lengths.map((n) => (max === min ? 0 : 0.5 - (n - min) / (max - min)))
}

/** Ranges `[first, end)` of completions of one prompt: they stand together and share their row. */
export function groupsOf(rows: readonly unknown[]): [first: number, end: number][] {
  const groups: [number, number][] = []
  for (let first = 0; first < rows.length; ) {
    let end = first + 1
    while (end < rows.length && rows[end] === rows[first]) end++
    groups.push([first, end])
    first = end
  }
  return groups
}
