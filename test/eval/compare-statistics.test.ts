import { describe, expect, it } from 'vitest'
import { comparePaired, mcNemar, pairedBootstrap } from '../../src/eval/statistics.js'

const repeat = (value: boolean, times: number): boolean[] => Array.from({ length: times }, () => value)

describe('mcNemar', () => {
  it.each([
    // 2 · (C(6,0) + C(6,1)) / 2⁶
    [1, 5, 14 / 64],
    // 2 · (C(10,0) + C(10,1) + C(10,2)) / 2¹⁰
    [2, 8, 112 / 1024],
    [0, 1, 1],
    [0, 6, 2 / 64],
    [0, 0, 1],
    [7, 7, 1],
  ])('%i against %i rows: p = %f', (a, b, p) => {
    expect(mcNemar(a, b)).toBeCloseTo(p, 12)
    expect(mcNemar(b, a)).toBe(mcNemar(a, b))
  })

  it('does not overflow: many differing rows approach the normal test', () => {
    // (b − c − 1)² / (b + c), continuity-corrected: z = 2.19 for 2650 against 2500, two-sided 0.0379.
    expect(mcNemar(2500, 2650)).toBeCloseTo(0.0379, 3)
    expect(mcNemar(0, 5000)).toBe(0)
    expect(mcNemar(5000, 5000)).toBe(1)
  })
})

describe('pairedBootstrap', () => {
  it('has no width where all differences are equal', () => {
    expect(pairedBootstrap([0, 0, 0])).toEqual([0, 0])
    expect(pairedBootstrap([1, 1])).toEqual([1, 1])
    expect(pairedBootstrap([])).toEqual([0, 0])
  })

  it('is the normal interval where there are many rows', () => {
    const values = [...Array(60).fill(1), ...Array(40).fill(-1), ...Array(900).fill(0)] as number[]
    const half = 1.96 * Math.sqrt((100 / 1000 - 0.02 ** 2) / 1000)
    const [low, high] = pairedBootstrap(values)
    expect(low).toBeCloseTo(0.02 - half, 2.5)
    expect(high).toBeCloseTo(0.02 + half, 2.5)
    expect(Math.abs(high - low - 2 * half)).toBeLessThan(0.05 * half)
  })

  it('gives the same interval for the same seed, and nearly the same for another', () => {
    const values = Array.from({ length: 300 }, (_, i) => Math.sin(i))
    const [low, high] = pairedBootstrap(values, 1)
    expect(pairedBootstrap(values, 1)).toEqual([low, high])
    const other = pairedBootstrap(values, 2)
    expect(other).not.toEqual([low, high])
    expect(Math.abs(other[0] - low)).toBeLessThan(0.05 * (high - low))
    expect(Math.abs(other[1] - high)).toBeLessThan(0.05 * (high - low))
  })
})

describe('comparePaired', () => {
  const a = [...repeat(true, 4), ...repeat(true, 1), ...repeat(false, 3), ...repeat(false, 2)]
  const b = [...repeat(true, 4), ...repeat(false, 1), ...repeat(true, 3), ...repeat(false, 2)]

  it('counts the four kinds of rows', () => {
    expect(comparePaired(a, b)).toMatchObject({ n: 10, both: 4, onlyA: 1, onlyB: 3, neither: 2, difference: 0.2 })
  })

  it('equal runs do not differ; exchanged runs differ the other way', () => {
    expect(comparePaired(a, a)).toMatchObject({ difference: 0, ci95: [0, 0], pValue: 1 })
    const there = comparePaired(a, b)
    const back = comparePaired(b, a)
    expect(back).toMatchObject({ onlyA: 3, onlyB: 1, difference: -0.2, pValue: there.pValue })
    expect(back.ci95).toEqual([-there.ci95[1], -there.ci95[0]])
  })
})
