import fc from 'fast-check'
import { expect, it } from 'vitest'
import { breakdownByGroup, breakdownsOf, cellOf, countCorrect } from '../../src/eval/breakdown.js'
import type { ScoredRow } from '../../src/eval/types.js'

function row(correct: boolean | null, groups: Record<string, string | string[]>): ScoredRow {
  return {
    row: { id: '', source: '', images: [], gold: '', groups, fields: {} },
    scored: { extraction: null, correct, path: '', calls: 0 },
    response: '',
  }
}

it('counts a row once under each value of a group, and an unjudged one as wrong', () => {
  const rows = [row(true, { skills: ['a', 'b', 'a'] }), row(null, { skills: ['a'] }), row(false, {})]
  expect(breakdownByGroup(rows, 'skills')).toEqual({
    a: { n: 2, correct: 1, accuracy: 0.5 },
    b: { n: 1, correct: 1, accuracy: 1 },
  })
  expect(countCorrect(rows)).toBe(1)
})

it('takes any text as a key', () => {
  const table = breakdownByGroup([row(true, { task: '__proto__' })], 'task')
  expect(Object.keys(table)).toEqual(['__proto__'])
})

it('prints cells as it is told, and calls nothing of nothing 0', () => {
  expect(cellOf(1, 2, (correct, n) => `${correct}/${n}`)).toEqual({ n: 2, correct: 1, accuracy: 0.5, text: '1/2' })
  expect(cellOf(0, 0)).toEqual({ n: 0, correct: 0, accuracy: 0 })
})

it('does not depend on the order of the rows', () => {
  const group = fc.constantFrom('x', 'y', 'z')
  const any = fc.record({ correct: fc.option(fc.boolean()), task: group, skills: fc.array(group) })
  fc.assert(
    fc.property(fc.array(any, { maxLength: 30 }), (list) => {
      const rows = list.map(({ correct, ...groups }) => row(correct, groups))
      expect(JSON.stringify(breakdownsOf([...rows].reverse()))).toBe(JSON.stringify(breakdownsOf(rows)))
    }),
  )
})
