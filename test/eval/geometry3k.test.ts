import { describe, expect, it } from 'vitest'
import { geometry3k } from '../../src/eval/benchmarks/geometry3k.js'
import { image, record, rowOf, scored } from './benchmark-rows.js'

const values = { images: [image('0.png')], problem: '<image>Find $x$.', answer: '2 \\sqrt { 221 }' }
const { options, score, summarize } = geometry3k.protocols.paper!

it('grades the boxed answer as training does', async () => {
  const row = rowOf(geometry3k, values)
  expect(await score(row, 'so \\boxed{2\\sqrt{221}}', { judge: 'none', options })).toEqual({
    extraction: '2\\sqrt{221}',
    correct: true,
    path: 'rule:mathruler',
    calls: 0,
  })
  expect(await score(row, '2\\sqrt{221}', { judge: 'none', options })).toMatchObject({
    extraction: null,
    correct: false,
  })
  expect(await score(row, '', { judge: 'none', options })).toMatchObject({ correct: false })
})

describe('reading', () => {
  it('numbers the rows of a revision without ids', () => {
    const rows = geometry3k.read(
      [record(values), record({ ...values, id: null }), record({ ...values, id: 'g9' })],
      'test',
    )
    expect(rows.map(({ id }) => id)).toEqual(['0', '1', 'g9'])
  })

  it('refuses a row without problem or answer', () => {
    expect(() => rowOf(geometry3k, { ...values, answer: 4 })).toThrow('column answer')
    expect(() => rowOf(geometry3k, { ...values, problem: null })).toThrow('column problem')
  })
})

it('reports the mean', () => {
  const row = rowOf(geometry3k, values)
  expect(summarize([scored(row, true), scored(row, false)])).toMatchObject({ score: 0.5, extra: { printed: '50.00%' } })
})
