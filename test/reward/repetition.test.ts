import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RepetitionOptions, repetitionReward } from '../../src/reward/repetition.js'
import { texts } from './batch.js'

const penaltyOf = (text: string, options?: RepetitionOptions) =>
  (repetitionReward(options)(texts(text)) as number[])[0] as number

describe('repetitionReward', () => {
  it('is the share of n-grams said before, of any case and spacing', () => {
    expect(penaltyOf('a b c d')).toBe(0)
    // a b c, b c a, c a b, a b c: one of four is a repetition.
    expect(penaltyOf('A b c\na  B c')).toBe(-0.25)
    expect(penaltyOf('x x x x', { ngramSize: 1, maxPenalty: -2 })).toBe(-1.5)
  })

  it('is 0 for fewer words than an n-gram has', () => {
    expect([penaltyOf(''), penaltyOf('a a'), penaltyOf(' \n')]).toEqual([0, 0, 0])
  })

  it('lies between maxPenalty and 0, and does not gain from saying everything twice', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c', 'dd'), { minLength: 3, maxLength: 30 })
    fc.assert(
      fc.property(words, (words) => {
        const [once, twice] = [penaltyOf(words.join(' ')), penaltyOf([...words, ...words].join(' '))]
        expect(once).toBeGreaterThanOrEqual(-1)
        expect(once).toBeLessThanOrEqual(0)
        expect(twice).toBeLessThanOrEqual(once)
      }),
    )
  })

  it.each([{ ngramSize: 0 }, { ngramSize: 2.5 }, { ngramSize: 17 }, { maxPenalty: 1 }, { maxPenalty: Number.NaN }])(
    'refuses %j',
    (options) => {
      expect(() => repetitionReward(options)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    },
  )
})
