// The reward of the paper: whether the boxed answer equals the gold answer.
import { extractBoxed } from './boxed.js'
import { type GradeItem, type GradeOptions, gradeBatch, type Profile } from './grade.js'
import { named, withTraits } from './traits.js'
import type { RewardBatch, RewardFunc } from './types.js'

/**
 * Reward 1 for a completion whose last boxed answer equals the gold answer, else 0; null for a row without gold. Its format
 * earns nothing. In metrics `accuracy`, with the lenient profile `accuracy_lenient`.
 *
 * ```ts
 * new GRPOTrainer({ model, rewardFuncs: accuracyReward(), trainDataset: 'geometry.jsonl' })
 * ```
 */
export function accuracyReward({ profile = 'mathruler' }: GradeOptions = {}): RewardFunc {
  const name = profile === 'mathruler' ? 'accuracy' : `accuracy_${profile}`
  const reward = named(name, (batch: RewardBatch) => accuracies(batch, extractBoxed, profile))
  return withTraits(reward, { profiles: [profile] })
}

/** 1, 0 or null a completion; `extract` finds the answer in it. */
export async function accuracies(
  { completions, answers }: Pick<RewardBatch, 'completions' | 'answers'>,
  extract: (completion: string) => string | null,
  profile: Profile,
): Promise<(number | null)[]> {
  const items: GradeItem[] = []
  const places: number[] = []
  for (const [i, completion] of completions.entries()) {
    const gold = answers[i]
    if (gold === undefined) continue
    places.push(i)
    items.push({ given: extract(completion), gold })
  }
  const values: (number | null)[] = completions.map(() => null)
  for (const [k, { correct, reason }] of (await gradeBatch(items, { profile })).entries()) {
    // A fault of the grader is no wrong answer.
    values[places[k] as number] = reason === 'panic' ? Number.NaN : Number(correct)
  }
  return values
}
