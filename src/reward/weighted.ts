// Several rewards as one.
import { ColdstartError } from '../errors.js'
import { combined, judge } from './call.js'
import { identityOf, named, traitsOf, withTraits } from './traits.js'
import type { RewardBatch, RewardFunc } from './types.js'

/** A reward and what it counts. */
export interface WeightedPart {
  reward: RewardFunc
  weight: number
}

/**
 * The weighted sum of rewards as one reward, in metrics `weighted`. A part that is null is left out of the sum, which is null
 * only where all parts are; a fault in a part whose weight is not 0 is a fault of the sum. The trainer adds up its
 * `rewardFuncs` by the same rules: this is for sums within sums, and for scores.
 *
 * ```ts
 * weightedReward({ reward: accuracyReward(), weight: 0.9 }, { reward: formatReward(), weight: 0.1 })
 * ```
 *
 * @throws ColdstartError `E_CONFIG` without parts, or for a weight that is not finite.
 */
export function weightedReward(...parts: readonly WeightedPart[]): RewardFunc {
  if (parts.length === 0) throw new ColdstartError('E_CONFIG', 'weightedReward: expected at least one part')
  const weights = parts.map(({ weight }) => weight)
  const odd = weights.find((weight) => !Number.isFinite(weight))
  if (odd !== undefined) throw new ColdstartError('E_CONFIG', `weight: expected a finite number, got ${odd}`)

  const judgeAll = async (batch: RewardBatch) =>
    combined(await Promise.all(parts.map(({ reward }) => judge(reward, batch))), weights)
  const reward = named('weighted', async (batch: RewardBatch) => (await judgeAll(batch)).values)
  const profiles = parts.flatMap((part) => traitsOf(part.reward).profiles ?? [])
  const options = { parts: parts.map(({ reward, weight }) => ({ ...identityOf(reward), weight })) }
  return withTraits(reward, { judge: judgeAll, profiles: [...new Set(profiles)], options })
}
