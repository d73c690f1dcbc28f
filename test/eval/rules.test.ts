import { describe, expect, it } from 'vitest'
import { benchmarks } from '../../src/eval/benchmarks/index.js'
import { finalAnswer, scoreByRules } from '../../src/eval/benchmarks/rules.js'
import { mathvistaChoice, rowOf } from './benchmark-rows.js'

describe('the final answer of a response', () => {
  it.each([
    ['first \\boxed{1}, then \\boxed{2}', '2'],
    ['<answer>12 cm</answer> and more', '12 cm'],
    ['The answer is 3.\nThe answer is: **4**.\nDone', '4'],
    ['**Answer:** B', 'B'],
    ['Some thoughts\n\n  x = 7.  \n', 'x = 7'],
    ['Answer:\n12', '12'],
  ])('%j is %j', (response, answer) => {
    expect(finalAnswer(response)).toBe(answer)
  })

  it.each(['', ' \n ', '\\boxed{4', '**'])('is missing in %j', (response) => {
    expect(finalAnswer(response)).toBeNull()
  })

  it('is found in linear time', () => {
    for (const unit of ['answer is ', '<answer>', '\\boxed{', '\n', '**', 'answer*']) finalAnswer(unit.repeat(1 << 17))
  })
})

describe('rules in place of a judge', () => {
  const options = { A: '40', B: '60', C: '\\frac{1}{2}' }

  it.each([
    ['\\boxed{B}', true],
    ['\\boxed{\\text{(B)}}', true],
    ['\\boxed{60.0}', true],
    ['The answer is B', true],
    ['\\boxed{A}', false],
    ['\\boxed{0.5}', false],
    ['\\boxed{A, B}', false],
    ['', false],
  ])('match %j with the options', (response, correct) => {
    expect(scoreByRules(response, { gold: 'B', options }).correct).toBe(correct)
  })

  it('compare values where there are no options', () => {
    expect(scoreByRules('\\boxed{\\frac{2}{4}}', { gold: '0.5' })).toMatchObject({
      correct: true,
      path: 'rules:lenient',
    })
    expect(scoreByRules('\\boxed{0.6}', { gold: '0.5' })).toMatchObject({ correct: false })
    expect(scoreByRules('\\boxed{0.6', { gold: '0.5' })).toEqual({
      extraction: null,
      correct: false,
      path: 'rules:nothing',
      calls: 0,
    })
  })

  it('decide where a judge would', async () => {
    const { mathvista } = benchmarks
    const protocol = mathvista.protocols.paper!
    const row = rowOf(mathvista, mathvistaChoice)
    const scored = await protocol.score(row, '\\boxed{B}', { judge: 'rules', options: protocol.options })
    expect(scored).toMatchObject({ correct: true, path: 'rules:option' })
  })
})
