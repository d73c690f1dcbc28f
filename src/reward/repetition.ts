// A penalty for saying the same again.
import { ColdstartError } from '../errors.js'
import { named, withTraits } from './traits.js'
import type { RewardBatch, RewardFunc } from './types.js'

/** What {@link repetitionReward} counts as repetition, and what it costs. */
export interface RepetitionOptions {
  /** Words of an n-gram. Default 3. */
  ngramSize?: number | undefined
  /** Reward of a text that is nothing but repetition, 0 or less. Default −1. */
  maxPenalty?: number | undefined
}

/**
 * The n-gram repetition penalty of Yeo et al. (arXiv 2502.03373, appendix) as Open R1 computes it, to be added to other
 * rewards: words are what stands between white space, in lower case, and
 *
 *     maxPenalty · (1 − distinct n-grams / n-grams);   0 for fewer words than an n-gram has
 *
 * Linear in the length of the text. Says little about languages written without spaces. In metrics `repetition`.
 *
 * @throws ColdstartError `E_CONFIG` unless ngramSize is an integer of 1 to 16 and maxPenalty is at most 0.
 */
export function repetitionReward({ ngramSize = 3, maxPenalty = -1 }: RepetitionOptions = {}): RewardFunc {
  if (!Number.isInteger(ngramSize) || ngramSize < 1 || ngramSize > 16) {
    throw new ColdstartError('E_CONFIG', `ngramSize: expected an integer from 1 to 16, got ${ngramSize}`)
  }
  if (!(maxPenalty <= 0)) throw new ColdstartError('E_CONFIG', `maxPenalty: expected at most 0, got ${maxPenalty}`)
  const reward = ({ completions }: RewardBatch) =>
    completions.map((completion) => maxPenalty * repeatedShare(completion, ngramSize) + 0)
  return withTraits(named('repetition', reward), { options: { ngramSize, maxPenalty } })
}

/** Share of n-grams that stood earlier in the text. */
function repeatedShare(text: string, size: number): number {
  // Words become numbers, so that an n-gram of long words is no longer than one of short ones.
  const numbers = new Map<string, number>()
  const words = (text.toLowerCase().match(/\S+/g) ?? []).map((word) => {
    const number = numbers.get(word) ?? numbers.size
    numbers.set(word, number)
    return number
  })
  const total = words.length - size + 1
  if (total < 1) return 0
  const distinct = new Set<string>()
  for (let i = 0; i < total; i++) distinct.add(words.slice(i, i + size).join(' '))
  return 1 - distinct.size / total
}
