import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeAnswer, isRight, sameAnswer } from '../../src/eval/benchmarks/mathvision/equality.js'
import { extractAnswer } from '../../src/eval/benchmarks/mathvision/extraction.js'
import { mathvision } from '../../src/eval/benchmarks/mathvision/index.js'
import type { JudgeChoice } from '../../src/eval/types.js'
import { mathvisionChoice, mathvisionFree, record, rowOf, ScriptedJudge, scored } from './benchmark-rows.js'

describe('the answer of a response', () => {
  it.each([
    ['The answer is (C).', 'c'],
    ['So the area is \\boxed{\\frac{9}{4}\\pi \\text{ cm}}.', '\\frac{9}{4}\\pi{cm}'],
    ['First \\boxed{3}, then \\boxed{x = 7}', '7'],
    // Everything between the first brace of the box and the last one of the text is kept, garbage included.
    ['\\boxed{\\frac{3}{4}} where {a}', '\\frac{3}{4}}where{a'],
    ['\\boxed{\\frac12}', '\\frac12'],
    ['\\boxed{\\frac12\\sqrt3}', '\\frac{1}{2}\\sqrt{3}'],
    ['(B)\nbecause of this', 'b'],
    ['The final answer is 12 cm. Because.', '12cm'],
    ['the total is 88.5..', '88.5'],
    ['\\boxed{} nothing', '\\boxednothing'],
    ['', ''],
  ])('of %j is %j', (response, answer) => {
    expect(extractAnswer(response)).toBe(answer)
  })

  it('is found in linear time', () => {
    for (const unit of ['oxed{', 'The answer is ', 'is ', '(a)', '}', '= ', '\\text{'])
      extractAnswer(unit.repeat(1 << 17))
  })
})

describe('equality', () => {
  it.each([
    ['$\\frac{1}{3}$', '0.333', true],
    ['7', '7.004', true],
    ['7', '7.006', false],
    ['0.005', '0.0049', false],
    ['(1,0.5)', '(1,\\frac{1}{2})', true],
    ['(1,2)', '[1,2]', false],
    ['[0,\\infty)', '[0,\\infty)', true],
    ['$\\boxed{\\frac{3}{4}}$', '\\frac{3}{4}', true],
    ['Saturn', 'saturn ', true],
    ['saturn', '', false],
    ['(a,1)', '(a,1.0)', true],
    // What is no LaTeX constant has no value: degrees, percents, bare functions, words that a zero would make vanish.
    ['$120^{\\circ}$', '120', false],
    ['42\\%', '0.42', false],
    ['2\\sqrt{2}', '2sqrt(2)', false],
    ['only 0', '0', false],
    ['87.96', '87.96.', true],
    ['\\sqrt{2}', '\\sqrt{2}. ', true],
    ['2', '.', false],
    // The end of a box, and what follows it, are no part of the value.
    ['$\\frac{1}{4}$', '\\frac{1}{4}}.theansweris:\\frac{1}{4', true],
    // All tiny values are 0.0.
    ['0.001', '0.002', true],
  ])('of gold %j and %j is %s', (gold, answer, equal) => {
    expect(sameAnswer(gold, answer)).toBe(equal)
  })

  it('accepts the letter or the text of the right option, and no other', () => {
    const options = ['1', '2', '3', '\\pi', '5']
    expect(isRight('D', options, 'd')).toBe(true)
    expect(isRight('D', options, '3.1416')).toBe(true)
    expect(isRight('D', options, '3')).toBe(false)
    expect(isRight('D', [], 'd')).toBe(true)
  })

  it('of the toolkit rounds nothing', () => {
    expect(closeAnswer('7', '7.004')).toBe(false)
    expect(closeAnswer('7', '7.0000001')).toBe(true)
    expect(closeAnswer('\\frac{1}{4}', '0.25')).toBe(true)
    expect(closeAnswer('Left', ' left ')).toBe(true)
    expect(closeAnswer('left', 'right')).toBe(false)
  })

  it('never holds for a blank answer', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom('', ' ', '  '), (gold, blank) => {
        expect(sameAnswer(gold, blank)).toBe(false)
      }),
    )
  })
})

describe('reading', () => {
  it('takes the picture as bytes or by its path, and keeps damaged golds as they are', () => {
    expect(rowOf(mathvision, mathvisionChoice)).toMatchObject({
      id: '12',
      gold: 'C',
      images: [{ source: '12.jpg' }],
      groups: { level: '2', subject: 'logic' },
    })
    const damaged = rowOf(mathvision, { ...mathvisionFree, answer: '\frac{36}{13} ' })
    expect(damaged.gold).toBe('\frac{36}{13} ')
    const { extra } = mathvision.protocols.official!.summarize([scored(damaged, false)])
    expect(extra).toMatchObject({ suspiciousGolds: { 'control character': ['13'], 'white space around': ['13'] } })
  })

  it.each([
    ['options', { options: ['a', 'b'] }],
    ['answer', { answer: 'F' }],
    ['answer', { answer: '' }],
    ['level', { level: 6 }],
    ['subject', { subject: null }],
  ])('refuses a row with a bad %s and names it', (column, change) => {
    const bad = record({ ...mathvisionChoice, ...change }, 'test.jsonl:4')
    expect(() => mathvision.read([bad], 'test')).toThrow(`test.jsonl:4: column ${column}`)
  })
})

describe('scoring', () => {
  it('of the authors needs no judge', async () => {
    const { judge, options, score } = mathvision.protocols.official!
    expect(judge).toBe('never')
    const row = rowOf(mathvision, mathvisionFree)
    const result = await score(row, '\\boxed{0.333}', { judge: 'none', options })
    expect(result).toEqual({ extraction: '0.333', correct: true, path: 'rule:equal', calls: 0 })
    expect(await score(row, '', { judge: 'none', options })).toMatchObject({ extraction: null, correct: false })
  })

  const toolkit = mathvision.protocols.vlmevalkit!
  const score = (values: Record<string, unknown>, response: string, judge: JudgeChoice) =>
    toolkit.score(rowOf(mathvision, values), response, { judge, options: {} })

  it('of the toolkit settles an option by matching, and a right text by equality', async () => {
    expect(await score(mathvisionChoice, 'Blue', 'none')).toMatchObject({ extraction: 'C', correct: true })
    expect(await score(mathvisionChoice, 'It is B', 'none')).toMatchObject({ correct: false, path: 'rule:match' })
    expect(await score(mathvisionFree, '\\frac{1}{3}', 'none')).toMatchObject({ correct: true, path: 'rule:match' })
    expect(await score(mathvisionFree, 'one third', 'none')).toMatchObject({ correct: null })
  })

  it('of the toolkit lets the judge extract the rest, five times at rising temperatures', async () => {
    const judge = new ScriptedJudge([null, '\\frac{1}{3}'])
    const result = await score(mathvisionFree, 'one third', judge)
    expect(result).toEqual({ extraction: '\\frac{1}{3}', correct: true, path: 'judge:extract', calls: 2 })
    expect(judge.asked[0]!.prompt).toMatch(
      /\nHint: Please answer the question and provide the final answer at the end\.\nQuestion: How many\?\nModel respone: one thirdExtracted answer:$/,
    )
    expect(await score(mathvisionFree, 'one third', new ScriptedJudge([]))).toMatchObject({ correct: null, calls: 5 })
    const wrong = await score(mathvisionChoice, 'one of them, but I cannot tell which', new ScriptedJudge(['(A)']))
    expect(wrong).toMatchObject({ extraction: '(A)', correct: false, path: 'judge:extract' })
  })
})

describe('the report', () => {
  const rows = [1, 1, 2].map((level, index) =>
    scored(rowOf(mathvision, { ...mathvisionFree, id: String(index), level }), index === 0),
  )

  it("is the authors' table", () => {
    expect(mathvision.protocols.official!.summarize(rows).extra).toMatchObject({
      printed: '1/3=33.33%',
      table: {
        '-all': '1/3=33.33%',
        '-level1': '1/2=50.0%',
        '-level1_logic': '1/2=50.0%',
        '-level2': '0/1=0.0%',
        '-level2_logic': '0/1=0.0%',
        logic: '1/3=33.33%',
        logic_level1: '1/2=50.0%',
        logic_level2: '0/1=0.0%',
      },
    })
  })

  it('does not depend on the order of the rows', () => {
    const { summarize } = mathvision.protocols.official!
    expect(JSON.stringify(summarize([...rows].reverse()))).toBe(JSON.stringify(summarize(rows)))
  })
})
