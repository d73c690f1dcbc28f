import { describe, expect, it } from 'vitest'
import { lettered, matchOption } from '../../src/eval/option-matching.js'

const options = { A: 'iron', B: 'oak', C: 'rhombus', D: 'decrease', E: 'tin' }

describe('a letter', () => {
  it.each([
    ['B', 'B'],
    ['(C).', 'C'],
    ['**D**', 'D'],
    ['So we choose option {E}!', 'E'],
  ])('%j is %s', (text, letter) => {
    expect(matchOption(text, options)).toBe(letter)
  })

  it('counts among the last four words only: said earlier it may be an article', () => {
    expect(matchOption('A one two three', options)).toBe('A')
    expect(matchOption('A one two three four', options)).toBeNull()
  })

  it('must be the only one, though it may be repeated', () => {
    expect(matchOption('B or C', options)).toBeNull()
    expect(matchOption('B, so B', options)).toBe('B')
    // The first place counts.
    expect(matchOption('B one two three four B', options)).toBeNull()
  })

  it('is a capital that is an option', () => {
    expect(matchOption('b', options)).toBeNull()
    expect(matchOption('F', options)).toBeNull()
  })
})

describe('a refusal', () => {
  it.each(["I'm sorry, but without the image provided I cannot say.", 'Cannot determine the answer', 'Z'])(
    '%j is Z',
    (text) => {
      expect(matchOption(text, options)).toBe('Z')
    },
  )

  it('is no Z beside an option', () => {
    expect(matchOption('Z or B', options)).toBe('B')
  })

  it("is not the toolkit's own failure text, even with a letter in it", () => {
    expect(matchOption('Failed to obtain answer via API. A', options)).toBeNull()
  })
})

describe('a statement', () => {
  it.each([
    ['The correct answer is **b** since it is long and has many sides', 'B'],
    ['answer is AB', 'A'],
    ['THE ANSWER IS\n c because of one, two, three, four', 'C'],
  ])('%j is %s', (text, letter) => {
    expect(matchOption(text, options)).toBe(letter)
  })

  it('names A to D only, and decides by its first occurrence', () => {
    expect(matchOption('the answer is E and not one of the others', options)).toBeNull()
    expect(matchOption('the answer is d, and then the answer is a, they all say', { A: 'iron' })).toBeNull()
  })
})

describe('wording', () => {
  it('names the only option whose text occurs, in any case', () => {
    expect(matchOption('it is OAK', options)).toBe('B')
    expect(matchOption('oak or tin', options)).toBeNull()
  })

  it('counts in a text up to twice as long as all options together', () => {
    // 4 + 3 characters.
    const two = { A: 'iron', B: 'oak' }
    expect(matchOption('oak'.padEnd(14, '.'), two)).toBe('B')
    expect(matchOption('oak'.padEnd(15, '.'), two)).toBeNull()
  })
})

it('letters a list from A', () => {
  expect(lettered(['x', 'y'])).toEqual({ A: 'x', B: 'y' })
})

it('takes a megabyte of almost-statements in linear time', () => {
  expect(matchOption('answer is so '.repeat(100_000), options)).toBeNull()
  expect(matchOption(`answer${' '.repeat(1 << 20)}`, options)).toBeNull()
  expect(matchOption(`answer is ${'*'.repeat(1 << 20)}`, options)).toBeNull()
})
