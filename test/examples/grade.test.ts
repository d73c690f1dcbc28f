import { expect, it } from 'vitest'
import { run } from './run.js'

it('grade.mjs grades an answer, a batch under both profiles, gold answers, and completions', async () => {
  const { code, lines } = await run('grade.mjs')
  expect(code).toBe(0)
  expect(lines).toEqual([
    '2\\sqrt{3} is right (exact)',
    'mathruler: right, wrong, wrong',
    'lenient: right, right, wrong',
    expect.stringMatching(/^gold 1, 55°: .*; better 55$/),
    expect.stringMatching(/^gold 2, C\.: .*; better C$/),
    '[ 1, 0, null ]',
  ])
})
