import { describe, expect, it } from 'vitest'
import { accuracyReward } from '../../src/reward/accuracy.js'
import { callRewards } from '../../src/reward/call.js'
import { formatReward } from '../../src/reward/format.js'
import { traitsOf } from '../../src/reward/traits.js'
import type { RewardFunc } from '../../src/reward/types.js'
import { weightedReward } from '../../src/reward/weighted.js'
import { batchOf, texts } from './batch.js'

const one: RewardFunc = ({ completions }) => completions.map(() => 1)
const never: RewardFunc = ({ completions }) => completions.map(() => null)

describe('weightedReward', () => {
  it('adds up its parts by their weights', async () => {
    const sum = weightedReward({ reward: accuracyReward(), weight: 0.9 }, { reward: formatReward(), weight: 0.1 })
    const batch = batchOf([{ completions: ['\\boxed{7}', '<think></think>\\boxed{8}'], answer: '7' }])
    expect(await sum(batch)).toEqual([0.9, 0.1])
  })

  it('leaves null parts out, and is null where all parts are', async () => {
    expect(await weightedReward({ reward: one, weight: 2 }, { reward: never, weight: 5 })(texts('a'))).toEqual([2])
    expect(await weightedReward({ reward: never, weight: 1 }, { reward: never, weight: 1 })(texts('a'))).toEqual([null])
  })

  it('passes a fault in a part on as its own, unless the part counts nothing', async () => {
    const odd: RewardFunc = () => [Number.NaN, 1]
    const options = { timeoutMs: 1000, signal: new AbortController().signal }
    const scores = async (weight: number) =>
      callRewards([weightedReward({ reward: one, weight: 1 }, { reward: odd, weight })], [], texts('a', 'b'), options)
    expect(await scores(1)).toMatchObject({ total: [null, 2], errors: 1 })
    expect(await scores(0)).toMatchObject({ total: [1, 1] })
  })

  it('compares gold answers by the profiles of its parts', () => {
    const sum = weightedReward(
      { reward: accuracyReward({ profile: 'lenient' }), weight: 1 },
      { reward: one, weight: 1 },
    )
    expect(traitsOf(sum).profiles).toEqual(['lenient'])
  })

  it('a part of weight 0 stands in for no other', async () => {
    const parts = (first: number, second: number) =>
      weightedReward({ reward: never, weight: first }, { reward: one, weight: second })(texts('a'))
    expect([await parts(1, 0), await parts(1, 2), await parts(0, 0)]).toEqual([[null], [2], [0]])
  })

  it('refuses no parts and weights that are not finite', () => {
    expect(() => weightedReward()).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(() => weightedReward({ reward: one, weight: Number.NaN })).toThrow(/finite number, got NaN/)
  })
})
