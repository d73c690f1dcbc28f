import { expect, it } from 'vitest'
import { duration, percent, points, short } from '../../src/report/format.js'

it('shares become percentages that stay on one line', () => {
  expect(percent(0.8764)).toBe('87.6\u00a0%')
  expect(percent(1, 0)).toBe('100\u00a0%')
})

it('differences carry their sign', () => {
  expect([0.335, -0.02, 0].map(points)).toEqual(['+33.5', '−2.0', '+0.0'])
})

it('durations use the two largest units', () => {
  expect([0.04, 9.94, 9.96, 59.4, 59.6, 312, 3599.7, 7500].map(duration)).toEqual([
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 00 s',
    '5 min 12 s',
    '1 h 00 min',
    '2 h 05 min',
  ])
})

it('numbers have four digits, and an exponent only where they are tiny', () => {
  expect([0, 1, 1234, 123456.7, 0.123456, 0.00012345, 5e-7, -2.5, Number.NaN].map(short)).toEqual([
    '0',
    '1',
    '1,234',
    '123,457',
    '0.1235',
    '1.23e−4',
    '5e−7',
    '-2.5',
    'NaN',
  ])
})
