import { describe, expect, it } from 'vitest'
import { boxedReward, exactBoxed, extractAnswer, extractBoxed, isBoxed } from '../../src/reward/boxed.js'

describe('extractBoxed', () => {
  it.each([
    ['\\boxed{17}', '17'],
    ['first \\boxed{1}, then \\boxed{ 2 }', '2'],
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['\\boxed{\\boxed{7}}', '7'],
    ['\\boxed{}', ''],
    ['\\boxed{3} and more', '3'],
  ])('finds the last balanced box of %j', (text, answer) => {
    expect(extractBoxed(text)).toBe(answer)
  })

  it.each(['', 'none', 'boxed{3}', '\\boxed {3}', '\\fbox{3}', '\\boxed{3', '\\boxed{1} \\boxed{{2}'])(
    'finds no answer in %j',
    (text) => {
      expect(extractBoxed(text)).toBeNull()
    },
  )

  it('takes lone surrogates and NUL', () => {
    expect(extractBoxed('\ud800\\boxed{a\0b}\udfff')).toBe('a\0b')
    expect(extractBoxed('\\boxed{\ud800}')).toBe('\ufffd')
  })

  it('ends on a megabyte of openings, which takes linear time', () => {
    expect(extractBoxed('\\boxed{'.repeat(200_000))).toBeNull()
  })

  it('searches only the end of an endless text', () => {
    expect(extractBoxed(`\\boxed{1}${' '.repeat(1024 * 1024)}`)).toBeNull()
  })
})

describe('extractAnswer', () => {
  it.each([
    ['\\boxed{1}, the answer is 2', '1'],
    ['Of 40, the final answer is $\\frac{1}{2}$.', '\\frac{1}{2}'],
    ['I cannot tell.', null],
  ])('finds in %j what is most likely meant', (text, answer) => {
    expect(extractAnswer(text)).toBe(answer)
  })
})

describe('isBoxed', () => {
  it('ignores white space and nothing else', () => {
    expect(isBoxed('so \\boxed{ 1 7 }', '17')).toBe(true)
    expect(isBoxed('so \\boxed{ 17. }', '17')).toBe(false)
    expect(isBoxed('so 17', '17')).toBe(false)
  })

  it('does not take a look-alike letter for the letter', () => {
    expect(isBoxed('\\boxed{\u0410}', 'A')).toBe(false)
  })
})

it('boxedReward is 1 for a box that closes, whatever is in it', () => {
  expect(boxedReward({ completions: ['\\boxed{}', 'so \\boxed{x} ', '\\boxed{1', 'x'] })).toEqual([1, 1, 0, 0])
})

describe('exactBoxed', () => {
  it('gives 1, 0, and null where there is no gold', () => {
    expect(
      exactBoxed({ completions: ['\\boxed{4}', '\\boxed{5}', '\\boxed{4}'], answers: ['4', '4', undefined] }),
    ).toEqual([1, 0, null])
  })
})
