import fc from 'fast-check'
import { expect, it } from 'vitest'
import { wilson } from '../../src/eval/interval.js'

it('gives the published interval for 81 of 263', () => {
  const [low, high] = wilson(81, 263)
  expect(low).toBeCloseTo(0.2553, 4)
  expect(high).toBeCloseTo(0.3662, 4)
})

it('has width at no and at all right answers, and stays inside 0 and 1', () => {
  expect(wilson(0, 10)[0]).toBe(0)
  expect(wilson(0, 10)[1]).toBeGreaterThan(0.2)
  expect(wilson(10, 10)[1]).toBe(1)
  expect(wilson(0, 2000)[0]).toBe(0)
  expect(wilson(0, 0)).toEqual([0, 1])
})

it('contains the share and narrows with n', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const correct = Math.round(share * n)
      const [low, high] = wilson(correct, n)
      const [wideLow, wideHigh] = wilson(correct * 4, n * 4)
      expect(low).toBeLessThanOrEqual(correct / n + 1e-12)
      expect(high).toBeGreaterThanOrEqual(correct / n - 1e-12)
      expect(wideHigh - wideLow).toBeLessThan(high - low)
    }),
  )
})
