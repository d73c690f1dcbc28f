import { describe, expect, it } from 'vitest'
import { wilson } from '../../src/eval/interval.js'
import { accuracyOver, gainOver, tInterval } from '../../src/study/intervals.js'

const verdicts = (right: number, n: number) => Array.from({ length: n }, (_, i) => i < right)

describe('accuracyOver', () => {
  it('is the Wilson interval for one seed', () => {
    expect(accuracyOver([340], 400)).toEqual({ accuracy: 0.85, n: 400, ci95: wilson(340, 400), perSeed: [0.85] })
  })

  it('is the t interval of the seeds where they spread more than chance', () => {
    const { ci95, accuracy, n } = accuracyOver([200, 280, 240], 400)
    // Mean 0.6, standard deviation 0.1, t of two degrees of freedom 4.303.
    expect(accuracy).toBeCloseTo(0.6, 12)
    expect(n).toBe(1200)
    expect(ci95[0]).toBeCloseTo(0.6 - (4.303 * 0.1) / Math.sqrt(3), 6)
    expect(ci95[1]).toBeCloseTo(0.6 + (4.303 * 0.1) / Math.sqrt(3), 6)
  })

  it('has width where all seeds agree', () => {
    expect(accuracyOver([0, 0, 0, 0, 0], 400).ci95).toEqual([0, wilson(0, 2000)[1]])
  })

  it('stays inside 0 and 1', () => {
    const { ci95 } = accuracyOver([400, 390], 400)
    expect(ci95[1]).toBe(1)
    expect(accuracyOver([0, 10], 400).ci95[0]).toBe(0)
  })
})

describe('gainOver', () => {
  it('is the paired difference of one seed', () => {
    const { mean, ci95, perSeed } = gainOver([verdicts(200, 400)], [verdicts(300, 400)])
    expect([mean, perSeed]).toEqual([0.25, [0.25]])
    // 100 differences of 1, 300 of 0: standard error √(0.25 · 0.75 / 399).
    expect(ci95[1] - 0.25).toBeCloseTo(1.96 * Math.sqrt((0.25 * 0.75) / 399), 5)
  })

  it('counts an answer that became wrong against one that became right', () => {
    expect(gainOver([[true, false]], [[false, true]]).mean).toBe(0)
  })

  it('is the t interval of the differences of several seeds', () => {
    const { mean, ci95 } = gainOver([verdicts(100, 400), verdicts(200, 400)], [verdicts(180, 400), verdicts(300, 400)])
    expect(mean).toBeCloseTo(0.225, 12)
    expect(ci95).toEqual(tInterval([0.2, 0.25]))
  })
})

it('tInterval approaches the normal interval as values become many', () => {
  const values = Array.from({ length: 100 }, (_, i) => i % 2)
  const [low, high] = tInterval(values)
  const error = Math.sqrt(100 / 4 / 99 / 100)
  // t of 99 degrees of freedom is 1.984.
  expect((high - low) / 2).toBeCloseTo(1.984 * error, 3)
})
