import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lengthReward, softOverlongReward } from '../../src/reward/length.js'
import { batchOf, texts } from './batch.js'

const penalties = async (lengths: number[], factor?: number) =>
  softOverlongReward({ maxCompletionLength: 100, bufferLength: 20, factor })({
    ...texts(...lengths.map(String)),
    completionTokens: lengths,
  })

describe('softOverlongReward', () => {
  it('is free up to the buffer, grows through it, and is full at the limit and beyond', async () => {
    expect(await penalties([0, 80, 81, 90, 100, 101])).toEqual([0, 0, -0.05, -0.5, -1, -1])
    expect(await penalties([90, 200], 0.5)).toEqual([-0.25, -0.5])
  })

  it('never rewards length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(200), fc.nat(200), async (a, b) => {
        const [shorter = 0, longer = 0] = (await penalties([Math.min(a, b), Math.max(a, b)])) as number[]
        expect(shorter).toBeGreaterThanOrEqual(longer)
      }),
    )
  })

  it.each([0, -1, 101, Number.NaN])('refuses a buffer of %d tokens before a limit of 100', (bufferLength) => {
    expect(() => softOverlongReward({ maxCompletionLength: 100, bufferLength })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    )
  })
})

describe('lengthReward', () => {
  const right = (padding: number) => `${' '.repeat(padding)}\\boxed{7}`
  const wrong = (padding: number) => `${' '.repeat(padding)}\\boxed{8}`

  it('prefers the shorter of right answers, and gives a short wrong one nothing', async () => {
    const batch = batchOf([{ completions: [right(0), right(5), right(10), wrong(0), wrong(10)], answer: '7' }])
    expect(await lengthReward()(batch)).toEqual([0.5, 0, -0.5, 0, -0.5])
  })

  it('compares within a prompt only', async () => {
    const batch = batchOf([
      { completions: [right(0), right(10)], answer: '7' },
      { completions: [right(500), right(900)], answer: '7' },
    ])
    expect(await lengthReward()(batch)).toEqual([0.5, -0.5, 0.5, -0.5])
  })

  it('is 0 where all lengths are equal, and null without gold', async () => {
    expect(await lengthReward()(batchOf([{ completions: [right(1), wrong(1)], answer: '7' }]))).toEqual([0, 0])
    expect(await lengthReward()(texts(right(1), right(2)))).toEqual([null, null])
  })
})
