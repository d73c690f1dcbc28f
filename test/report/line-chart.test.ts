import { describe, expect, it } from 'vitest'
import { type ChartOptions, linearTicks, lineChart, movingAverage, type Series } from '../../src/report/line-chart.js'

const draw = (runs: number[][], options: Partial<ChartOptions> = {}): string =>
  lineChart([{ name: 'a', colour: 0, runs }], { title: 'T', smooth: 1, ...options }).toString()

const pathsOf = (chart: string): string[] => [...chart.matchAll(/ d="([^"]*)"/g)].map((match) => match[1] as string)
const pointsOf = (path: string): [number, number][] =>
  [...path.matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)].map((match) => [Number(match[1]), Number(match[2])])

describe('lineChart', () => {
  it('puts larger values higher and later steps further right', () => {
    const [path = ''] = pathsOf(draw([[1, 2, 4]]))
    const points = pointsOf(path)
    expect(points).toHaveLength(3)
    for (const [i, [x, y]] of points.slice(1).entries()) {
      expect(x).toBeGreaterThan((points[i] as [number, number])[0])
      expect(y).toBeLessThan((points[i] as [number, number])[1])
    }
  })

  it('draws equal factors as equal distances on a logarithmic axis', () => {
    const [path = ''] = pathsOf(draw([[100, 10, 1]], { logarithmic: true }))
    const [[, top], [, middle], [, bottom]] = pointsOf(path) as [[number, number], [number, number], [number, number]]
    expect(middle - top).toBeCloseTo(bottom - middle, 0)
  })

  it('leaves a gap where a value is not finite', () => {
    const [path = ''] = pathsOf(draw([[1, Number.NaN, 2, 3]]))
    expect(path.match(/M/g)).toHaveLength(2)
    expect(path).not.toContain('NaN')
  })

  it('draws a dot for a single value', () => {
    expect(pathsOf(draw([[5]]))[0]).toMatch(/^M[\d.]+ [\d.]+h0$/)
  })

  it('draws every run thin and their mean strong, and one run only once', () => {
    expect(
      pathsOf(
        draw([
          [0, 2],
          [2, 4],
        ]),
      ),
    ).toHaveLength(3)
    expect(pathsOf(draw([[0, 2]]))).toHaveLength(1)
  })

  it('draws few points of a long run and always its last', () => {
    const long = Array.from({ length: 10_000 }, (_, step) => step)
    const points = pointsOf(pathsOf(draw([long]))[0] as string)
    expect(points.length).toBeLessThan(300)
    expect(points.at(-1)?.[0]).toBe(546)
  })

  it('shows no number that is not finite, whatever the values are', () => {
    for (const values of [[], [0, 0], [-1], [1e-12, 1e12], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
      for (const logarithmic of [false, true]) {
        expect(draw([values], { logarithmic })).not.toMatch(/NaN|Infinity/)
      }
    }
  })

  it('escapes names', () => {
    const series: Series[] = ['<i>', '"x"'].map((name) => ({ name, colour: 1, runs: [[1, 2]] }))
    const chart = lineChart(series, { title: '<script>', smooth: 1 }).toString()
    expect(chart).not.toContain('<i>')
    expect(chart).not.toContain('<script>')
  })
})

it('a moving average is the mean of the last values and passes over missing ones', () => {
  expect(movingAverage([1, 3, Number.NaN, 5], 2)).toEqual([1, 2, Number.NaN, 5])
})

it('ticks are round numbers inside the range', () => {
  expect(linearTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  expect(linearTicks(3, 147, 5)).toEqual([50, 100])
})
