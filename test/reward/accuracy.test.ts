import { describe, expect, it } from 'vitest'
import { accuracyReward } from '../../src/reward/accuracy.js'
import { batchOf } from './batch.js'

describe('accuracyReward', () => {
  it('is 1 for an equal answer, 0 for another or none, and null without gold', async () => {
    const batch = batchOf([
      { completions: ['\\boxed{0.375}', '\\boxed{0.4}', '0.375'], answer: '\\frac{3}{8}' },
      { completions: ['\\boxed{1}'] },
    ])
    expect(await accuracyReward()(batch)).toEqual([1, 0, 0, null])
  })

  it('compares by its profile, and its name in the metrics tells which', async () => {
    const batch = batchOf([{ completions: ['\\boxed{0.4}'], answer: '40\\%' }])
    const [strict, lenient] = [accuracyReward(), accuracyReward({ profile: 'lenient' })]
    expect([await strict(batch), await lenient(batch)]).toEqual([[0], [1]])
    expect([strict.name, lenient.name]).toEqual(['accuracy', 'accuracy_lenient'])
  })

  it('counts a refused answer as wrong', async () => {
    const batch = batchOf([{ completions: [`\\boxed{${'9'.repeat(5000)}}`], answer: '7' }])
    expect(await accuracyReward()(batch)).toEqual([0])
  })
})
