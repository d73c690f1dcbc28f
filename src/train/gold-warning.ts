// Told at the start of a run: gold answers that the rewards will misjudge.
import type { Dataset } from '../data/dataset.js'
import { lintGolds } from '../reward/lint.js'
import { traitsOf } from '../reward/traits.js'
import type { RewardFunc } from '../reward/types.js'
import type { TrainEvent } from './events.js'

/** A warning for each profile under which the rewards compare gold answers and the data has some that fail. */
export async function goldWarnings(rewards: readonly RewardFunc[], dataset: Dataset): Promise<TrainEvent[]> {
  const profiles = new Set(rewards.flatMap((reward) => traitsOf(reward).profiles ?? []))
  const golds = [...dataset].map((row) => row.answer)
  const found = await Promise.all(
    [...profiles].map(async (profile): Promise<TrainEvent[]> => {
      const findings = await lintGolds(golds, { profile })
      const [first] = findings
      if (first === undefined) return []
      const where = `${dataset.row(first.index).source}: ${first.message}`
      const message = `${findings.length} of ${golds.length} gold answers fail under ${profile}, the first ${where}`
      return [{ type: 'warning', stage: 'grpo', step: 0, code: 'E_DATA_ROW', message }]
    }),
  )
  return found.flat()
}
