/** Rewards of a configuration, for as long as a command needs them. */

import { type RewardEntry, rewardByName } from '../reward/by-name.js'
import type { RewardFunc } from '../reward/types.js'

/** Makes the rewards, hands them to `work`, and ends their processes however it ends. */
export async function withRewards<T>(
  entries: readonly RewardEntry[],
  work: (rewards: readonly RewardFunc[]) => Promise<T>,
): Promise<T> {
  const made = await Promise.allSettled(entries.map(rewardByName))
  try {
    return await work(
      made.map((result) => {
        if (result.status === 'rejected') throw result.reason
        return result.value
      }),
    )
  } finally {
    await Promise.all(made.map((result) => (result.status === 'fulfilled' ? result.value.close?.() : undefined)))
  }
}
