import { expect, it } from 'vitest'
import { compact, duration, gibibytes, percent, short } from '../../src/cli/format.js'

it('durations have two units at most', () => {
  expect([8.4, 59.6, 200, 3600 * 2 + 300].map(duration)).toEqual(['8 s', '1 min 0 s', '3 min 20 s', '2 h 5 min'])
})

it('counts stay short', () => {
  expect([0, 812, 12_700, 345_678, 3_400_000, 7.6e9].map(compact)).toEqual([
    '0',
    '812',
    '12.7k',
    '346k',
    '3.4M',
    '7.6G',
  ])
})

it('numbers keep four digits', () => {
  expect([1.23456, 0.000123456, 100, 0].map(short)).toEqual(['1.235', '0.0001235', '100', '0'])
})

it('shares and sizes carry their unit', () => {
  expect(percent(0.4567)).toBe('45.7 %')
  expect(gibibytes(2 ** 34)).toBe('16.0 GiB')
})
