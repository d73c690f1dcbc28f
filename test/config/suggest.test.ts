import { expect, it } from 'vitest'
import { closest } from '../../src/config/suggest.js'

const names = ['learningRate', 'seed', 'maxSteps']

it.each([
  ['learningrate', 'learningRate'],
  ['lerningRate', 'learningRate'],
  ['sed', 'seed'],
  ['esed', 'seed'],
  ['maxStep', 'maxSteps'],
  ['learn', 'learningRate'],
])('%s is close to %s', (typed, name) => {
  expect(closest(typed, names)).toBe(name)
})

it('a name far from all of them has no suggestion', () => {
  expect(closest('temperature', names)).toBeUndefined()
  expect(closest('', names)).toBeUndefined()
})

it('the beginning of two names has no suggestion', () => {
  expect(closest('epsilon', ['epsilonHighest', 'epsilonLowest'])).toBeUndefined()
})
