import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  pythonFixed,
  pythonFloat,
  pythonInt,
  pythonPercent,
  pythonRepr,
  pythonRound,
  pythonTrunc,
} from '../../src/eval/python-numbers.js'

describe('float(text)', () => {
  it.each([
    ['1_000', 1000],
    [' 12 ', 12],
    ['+5', 5],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['-1_0.5e-1_0', -10.5e-10],
    ['inf', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['1e999', Number.POSITIVE_INFINITY],
    ['１２．５'.replace('．', '.'), 12.5],
    ['٣.١', 3.1],
    ['𝟙𝟚', 12],
    ['\u00a07\u2003', 7],
  ])('reads %j', (text, value) => {
    expect(pythonFloat(text)).toBe(value)
  })

  it('reads nan in any case', () => {
    expect(pythonFloat('NaN')).toBeNaN()
    expect(pythonFloat('-nan')).toBeNaN()
  })

  it.each([
    '',
    ' ',
    '1,000',
    '$5',
    '5%',
    '1 000',
    '0x10',
    '1__0',
    '_1',
    '1_',
    '1_.5',
    '1._5',
    '1e_5',
    '.',
    'e5',
    '1e',
    '+-1',
    '½',
    'infinite',
    '\ufeff1',
    '\x1f1',
    '5 cm',
  ])('refuses %j', (text) => {
    expect(pythonFloat(text)).toBeNull()
  })
})

describe('int(text)', () => {
  it('reads digits with a sign, underscores and white space, of any script', () => {
    expect(pythonInt(' -0_012 ')).toBe(-12n)
    expect(pythonInt('७८')).toBe(78n)
    expect(pythonInt('100000000000000000001')).toBe(100000000000000000001n)
  })

  it.each(['1e3', '3.0', '5.', 'inf', '', '-', '1,000'])('refuses %j', (text) => {
    expect(pythonInt(text)).toBeNull()
  })

  it('refuses more than 4,300 digits, as Python does', () => {
    expect(pythonInt('1'.repeat(4300))).not.toBeNull()
    expect(pythonInt('1'.repeat(4301))).toBeNull()
  })
})

describe('round(value, digits)', () => {
  it.each([
    [2.675, 2, '2.67'],
    [1.25, 1, '1.2'],
    [1.35, 1, '1.4'],
    [0.5, 0, '0.0'],
    [1.5, 0, '2.0'],
    [2.5, 0, '2.0'],
    [5, 1, '5.0'],
    [-0.04, 1, '-0.0'],
    [-0.0, 1, '-0.0'],
    [1e22, 2, '1e+22'],
    [5e-324, 2, '0.0'],
  ])('rounds %d to %i digits on its binary value, ties to even: %s', (value, digits, text) => {
    expect(pythonRepr(pythonRound(value, digits))).toBe(text)
  })

  it('leaves infinities and NaN as they are', () => {
    expect(pythonRound(Number.POSITIVE_INFINITY, 2)).toBe(Number.POSITIVE_INFINITY)
    expect(pythonRound(Number.NaN, 2)).toBeNaN()
  })

  it('moves a value by half a unit at most, and a rounded value not at all', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 6 }), (value, digits) => {
        const rounded = pythonRound(value, digits)
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(0.5 * 10 ** -digits * (1 + 1e-9))
        expect(pythonRound(rounded, digits)).toBe(rounded)
      }),
    )
  })
})

describe('str(value)', () => {
  it.each([
    [1e16, '1e+16'],
    [9999999999999998, '9999999999999998.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [1e100, '1e+100'],
    [123.456, '123.456'],
    [1200, '1200.0'],
    [-0, '-0.0'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ])('prints %d as %s', (value, text) => {
    expect(pythonRepr(value)).toBe(text)
  })

  it('reads back as the same value', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        expect(pythonFloat(pythonRepr(value))).toBe(value)
      }),
    )
  })
})

describe('formats', () => {
  it.each([
    [0.125, 2, '0.12'],
    [0.375, 2, '0.38'],
    [2.675, 2, '2.67'],
    [7, 3, '7.000'],
    [0, 2, '0.00'],
    [-0.001, 2, '-0.00'],
    [0.34, 3, '0.340'],
    [12.5, 0, '12'],
  ])('%d with %i digits is %s', (value, digits, text) => {
    expect(pythonFixed(value, digits)).toBe(text)
  })

  it('multiplies a share before it rounds the percentage', () => {
    expect(pythonPercent(1 / 3, 2)).toBe('33.33%')
    expect(pythonPercent(0.00125, 2)).toBe('0.12%')
    expect(pythonPercent(1, 2)).toBe('100.00%')
  })

  it('truncates towards zero and has no integer for an infinity', () => {
    expect(pythonTrunc(-3.9)).toBe(-3n)
    expect(pythonTrunc(5e22)).toBe(49999999999999995805696n)
    expect(pythonTrunc(Number.NaN)).toBeNull()
  })
})

it('takes a megabyte of digits, underscores or foreign digits in linear time', () => {
  expect(pythonFloat('1'.repeat(1 << 20))).toBe(Number.POSITIVE_INFINITY)
  expect(pythonFloat('1_'.repeat(1 << 19))).toBeNull()
  expect(pythonInt('٣'.repeat(1 << 20))).toBeNull()
  expect(pythonFloat(`${' '.repeat(1 << 20)}x`)).toBeNull()
})
