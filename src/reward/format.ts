// Rewards for the shape of a response, whatever it says.
import { native, unwrap } from '../native/index.js'
import { named, withTraits } from './traits.js'
import type { RewardBatch, RewardFunc } from './types.js'

/** Shape that {@link formatReward} asks for. */
export type FormatStyle = 'think' | 'answer'

/**
 * Reward 1 for a completion of the wanted shape, else 0. In metrics `format`. Linear in the length of the text.
 *
 * - `think` (default): starts with `<think>`, and `</think>`, then `\boxed{`, then `}` follow in this order.
 * - `answer`: starts with `<think>`, ends with `</answer>`, and has `</think>`, white space and `<answer>` between.
 */
export function formatReward({ style = 'think' }: { style?: FormatStyle | undefined } = {}): RewardFunc {
  const fits = style === 'think' ? fitsThink : fitsAnswer
  const reward = ({ completions }: RewardBatch) => completions.map((completion) => Number(fits(completion)))
  return withTraits(named('format', reward), { options: { style } })
}

/** Whether thoughts and then a box make up the text. */
export const fitsThink = (text: string): boolean => unwrap(native().formatThink(text))

/** Whether thoughts and then an answer tag make up the text. */
export const fitsAnswer = (text: string): boolean => unwrap(native().formatAnswer(text))
