import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { levenshtein, mostSimilar } from '../../src/eval/levenshtein.js'

/** The table, cell by cell. */
function byTable(a: string[], b: string[]): number {
  let row = b.map((_, index) => index + 1)
  row.unshift(0)
  for (const [i, x] of a.entries()) {
    const next = [i + 1]
    for (const [j, y] of b.entries()) next.push(Math.min(row[j]! + (x === y ? 0 : 1), row[j + 1]! + 1, next[j]! + 1))
    row = next
  }
  return row.at(-1)!
}

describe('levenshtein', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['', '', 0],
    ['👍🏽 up', '👍 up', 1],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(levenshtein(a, b)).toBe(distance)
  })

  it('equals the plain table, beyond blocks of 32 code points too', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '👍'), maxLength: 150 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(levenshtein(a, b)).toBe(byTable([...a], [...b]))
      }),
      { numRuns: 300 },
    )
  })

  it('takes a megabyte against a sentence, where a table would have no end', () => {
    expect(levenshtein('ab'.repeat(1 << 19), 'c'.repeat(200))).toBe(1 << 20)
  })
})

describe('mostSimilar', () => {
  it('takes the first of equally similar choices', () => {
    expect(mostSimilar('D', ['20', '21', '3'])).toBe('3')
    expect(mostSimilar('xyz', ['ab', 'cd'])).toBe('ab')
  })

  it('takes the shortest for an empty text', () => {
    expect(mostSimilar('', ['12 cm', '15 cm', '9 cm'])).toBe('9 cm')
  })

  it('has nothing among no choices', () => {
    expect(mostSimilar('a', [])).toBeNull()
  })
})
