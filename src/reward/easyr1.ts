// The two default rewards of EasyR1 (hiyouga/EasyR1, examples/reward_function), for runs that are to be compared with its own.
import { native, unwrap } from '../native/index.js'
import { accuracies } from './accuracy.js'
import { extractBoxed } from './boxed.js'
import { fitsAnswer, fitsThink } from './format.js'
import { named, withTraits } from './traits.js'
import type { RewardBatch } from './types.js'

/**
 * EasyR1's `math`: 0.9 · accuracy + 0.1 · format `think`, after white space around `<`, `>` and `/` is deleted. Null for a row
 * without gold. In metrics `math`.
 */
export const mathReward = withTraits(
  named('math', async ({ completions, answers }: RewardBatch): Promise<(number | null)[]> => {
    const squeezed = completions.map((completion) => unwrap(native().easyr1Squeeze(completion)))
    const accuracy = await accuracies({ completions: squeezed, answers }, extractBoxed, 'mathruler')
    return accuracy.map((value, i) =>
      value === null ? null : 0.9 * value + 0.1 * Number(fitsThink(squeezed[i] ?? '')),
    )
  }),
  { profiles: ['mathruler'] },
)

/**
 * EasyR1's `r1v`: 0.5 · accuracy + 0.5 · format `answer`, where the answer is the content of the first `<answer>…</answer>` on
 * one line, else the whole response. Null for a row without gold. In metrics `r1v`.
 */
export const r1vReward = withTraits(
  named('r1v', async (batch: RewardBatch): Promise<(number | null)[]> => {
    const accuracy = await accuracies(batch, (text) => unwrap(native().answerTag(text)), 'mathruler')
    return accuracy.map((value, i) =>
      value === null ? null : 0.5 * value + 0.5 * Number(fitsAnswer(batch.completions[i] ?? '')),
    )
  }),
  { profiles: ['mathruler'] },
)
