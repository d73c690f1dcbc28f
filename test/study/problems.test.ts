import { describe, expect, it } from 'vitest'
import { isBoxed } from '../../src/reward/boxed.js'
import { arithmetic, chain, reading, reasonedSum, spaced, sum } from '../../src/study/problems.js'
import { random } from '../../src/study/random.js'

describe('problems', () => {
  it('a chain is the running sum, digits apart', () => {
    expect(chain([2, 8, 7])).toBe('2 + 8 = 1 0 ; 1 0 + 7 = 1 7 ;')
    expect(chain([9, 9])).toBe('9 + 9 = 1 8 ;')
    expect(chain([5])).toBe('')
  })

  it('a cold-start answer reads the digits, adds them up and boxes the sum', () => {
    expect(reasonedSum([2, 8, 7])).toEqual({
      problem: 'what is the sum ?',
      answer: 'the digits are 2 , 8 , 7 . 2 + 8 = 1 0 ; 1 0 + 7 = 1 7 ; \\boxed{ 1 7 }',
    })
  })

  it('the taught answer is right by the rule that rewards and judges', () => {
    for (const digits of [
      [0, 0],
      [9, 9, 9, 9],
      [1, 0, 9],
    ]) {
      expect(isBoxed(reasonedSum(digits).answer, sum(digits).answer)).toBe(true)
    }
    expect(isBoxed(reasonedSum([1, 2]).answer, sum([1, 3]).answer)).toBe(false)
  })

  it('reading an image never contains a sum or a box', () => {
    expect(reading([9, 0, 4])).toEqual({ problem: 'read the digits ?', answer: '9 0 4' })
  })

  it('arithmetic is right', () => {
    const source = random(0, 'test')
    for (let i = 0; i < 500; i++) {
      const { problem, answer } = arithmetic(source)
      if (problem.startsWith('count')) {
        const digits = problem.slice('count '.length).split(' , ').map(Number)
        expect(answer).toBe(chain(digits))
      } else {
        const [x = '', y = ''] = problem.replace(' =', '').split(' + ')
        expect(answer).toBe(spaced(Number(x.replaceAll(' ', '')) + Number(y)))
      }
    }
  })
})
