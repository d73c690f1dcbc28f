import { expect, it } from 'vitest'
import { permutation, random } from '../../src/study/random.js'

const draws = (seed: number, purpose: string) => {
  const source = random(seed, purpose)
  return Array.from({ length: 20 }, () => source.below(1000))
}

it('the same seed and purpose give the same numbers; another seed or purpose gives others', () => {
  expect(draws(1, 'a')).toEqual(draws(1, 'a'))
  expect(draws(1, 'a')).not.toEqual(draws(2, 'a'))
  expect(draws(1, 'a')).not.toEqual(draws(1, 'b'))
})

it('never changes: data sets on other machines depend on it', () => {
  const source = random(0, 'split')
  expect(Array.from({ length: 5 }, () => source.below(10_000))).toMatchInlineSnapshot(`
    [
      6407,
      4098,
      2302,
      54,
      6894,
    ]
  `)
})

it('covers its range evenly', () => {
  const source = random(3, 'range')
  const counts = new Array<number>(10).fill(0)
  for (let i = 0; i < 10_000; i++) counts[source.between(5, 14) - 5]!++
  // Five standard deviations of a count of mean 1000.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
})

it('a permutation contains everything once and is not the identity', () => {
  const order = permutation(100, random(0, 'p'))
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(order).not.toEqual(Array.from({ length: 100 }, (_, i) => i))
})
