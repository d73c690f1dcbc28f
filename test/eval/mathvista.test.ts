import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AnswerForm, normalise, shortcut } from '../../src/eval/benchmarks/mathvista/extraction.js'
import { mathvista } from '../../src/eval/benchmarks/mathvista/index.js'
import { mathvistaExamples } from '../../src/eval/judge-prompts.js'
import type { Protocol } from '../../src/eval/types.js'
import { mathvistaChoice, mathvistaFloat, record, rowOf, ScriptedJudge, scored } from './benchmark-rows.js'

const choices: AnswerForm = {
  question_type: 'multi_choice',
  answer_type: 'text',
  choices: ['12 cm', '15 cm', '9 cm'],
  precision: null,
}
const integer: AnswerForm = { question_type: 'free_form', answer_type: 'integer', choices: [], precision: null }
const float = (precision: number): AnswerForm => ({ ...integer, answer_type: 'float', precision })
const mathvistaInteger = { ...mathvistaFloat, answer_type: 'integer', precision: null, answer: '14' }
const mathvistaList = { ...mathvistaFloat, answer_type: 'list', precision: null, answer: '[1, 2]' }

describe('normalising an extraction', () => {
  it.each([
    ['B', '15 cm'],
    // A bare small letter is none: the most similar choice.
    ['b', '9 cm'],
    ['(b)', '15 cm'],
    ['', '9 cm'],
    ['cannot tell', '12 cm'],
    ['D', '9 cm'],
    ['(A) or (B)', '12 cm'],
    [' 15 cm ', '15 cm'],
  ])('choice of %j is %s', (extraction, choice) => {
    expect(normalise(extraction, choices, {})).toBe(choice)
  })

  it.each([
    ['3.9', '3', null],
    ['-3.9', '-3', null],
    ['1e3', '1000', null],
    ['1,000', null, null],
    ['７', '7', '7'],
  ])('integer of %j is %s, by the older rule %s', (extraction, current, legacy) => {
    expect(normalise(extraction, integer, {})).toBe(current)
    expect(normalise(extraction, integer, { legacyInt: true })).toBe(legacy)
  })

  it.each([
    ['2.675', 2, '2.67'],
    ['1.25', 1, '1.2'],
    ['5', 1, '5.0'],
    ['-0.04', 1, '-0.0'],
    ['5 g', 1, null],
  ])('float of %j with precision %i is %s', (extraction, precision, text) => {
    expect(normalise(extraction, float(precision), {})).toBe(text)
  })

  it('a list is its text', () => {
    expect(normalise('[1,2]', { ...integer, answer_type: 'list' }, {})).toBe('[1,2]')
  })

  it('an empty extraction picks a choice, the shortest one, unless told to ignore it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }), (texts) => {
        const form = { ...choices, choices: texts }
        const shortest = Math.min(...texts.map((text) => [...text].length))
        expect([...normalise('', form, {})!]).toHaveLength(shortest)
        expect(normalise('', form, { ignoreEmpty: true })).toBeNull()
      }),
    )
  })
})

describe('answers that need no judge', () => {
  it('are an exact choice, an integer, a float, or nothing', () => {
    expect(shortcut('9 cm', choices, false)).toBe('9 cm')
    expect(shortcut('9 cm\n', choices, false)).toBeNull()
    expect(shortcut(' 14\n', integer, false)).toBe('14')
    expect(shortcut('14.0', integer, false)).toBeNull()
    expect(shortcut('+8.70', float(1), false)).toBe('8.7')
    expect(shortcut('', integer, false)).toBe('')
  })

  it('are quoted on one line, up to the last quote, if the quick pattern is asked for', () => {
    const response = 'x\nThe answer is "a". So "b".\nThe answer is "c".'
    expect(shortcut(response, integer, true)).toBe('a". So "b')
    expect(shortcut(response, integer, false)).toBeNull()
    expect(shortcut('The answer is "a"\n".', integer, true)).toBeNull()
  })

  it('are looked for in linear time', () => {
    expect(shortcut('The answer is "'.repeat(70_000), integer, true)).toBeNull()
    expect(normalise('('.repeat(1 << 20), choices, {})).not.toBeNull()
  })
})

describe('reading', () => {
  it('groups a row under each of its skills', () => {
    const row = rowOf(mathvista, mathvistaChoice)
    expect(row).toMatchObject({ id: '7', gold: '15 cm', images: [{ source: 'images/7.jpg' }] })
    expect(row.groups).toMatchObject({
      question_type: 'multi_choice',
      grade: 'high school',
      skills: ['statistical reasoning', 'logical reasoning'],
    })
    expect(row.fields).not.toHaveProperty('image')
  })

  it('keeps a published query and builds one where the column is missing', () => {
    expect(rowOf(mathvista, { ...mathvistaChoice, query: 'Q' }).fields.query).toBe('Q')
    expect(rowOf(mathvista, mathvistaChoice).fields.query).toContain('Choices:\n(A) 12 cm')
  })

  it.each([
    ['question_type', { question_type: 'multi-choice' }],
    ['answer_type', { ...mathvistaFloat, answer_type: 'text' }],
    ['choices', { choices: null }],
    ['choices', { choices: [1] }],
    ['precision', { ...mathvistaFloat, precision: null }],
    ['answer', { answer: '16 cm' }],
    ['metadata', { metadata: null }],
    ['metadata', { metadata: { ...mathvistaChoice.metadata, grade: 3 } }],
    ['pid', { pid: '' }],
  ])('refuses a row whose %s is not as published and names it', (column, change) => {
    const bad = record({ ...mathvistaChoice, ...change }, 'testmini.parquet[4]')
    expect(() => mathvista.read([bad], 'testmini')).toThrow(
      expect.objectContaining({
        code: 'E_DATA_ROW',
        message: expect.stringContaining(`testmini.parquet[4]: column ${column}`),
      }),
    )
  })
})

describe('official scoring', () => {
  const protocol = mathvista.protocols.official!
  const { options } = protocol

  it('asks nobody about an answer that stands alone', async () => {
    const judge = new ScriptedJudge([])
    expect(await protocol.score(rowOf(mathvista, mathvistaFloat), '2.675', { judge, options })).toEqual({
      extraction: '2.675',
      correct: true,
      path: 'rule:shortcut',
      calls: 0,
    })
    expect(judge.asked).toEqual([])
  })

  it('shows the judge five examples, the query and the response', async () => {
    const judge = new ScriptedJudge(['(B) 15 cm'])
    const row = rowOf(mathvista, mathvistaChoice)
    const result = await protocol.score(row, 'I think the second.', { judge, options })
    expect(result).toEqual({ extraction: '(B) 15 cm', correct: true, path: 'judge:extract', calls: 1 })
    const expected = `${mathvistaExamples()}\n\n${String(row.fields.query)}\n\nI think the second.\n\nExtracted answer: `
    expect(judge.asked[0]!.prompt).toBe(expected)
  })

  it('leaves a row unjudged when the judge fails, and without a judge', async () => {
    const row = rowOf(mathvista, mathvistaChoice)
    const failed = await protocol.score(row, 'second', { judge: new ScriptedJudge([null]), options })
    expect(failed).toEqual({ extraction: null, correct: null, path: 'unjudged', calls: 1 })
    expect(await protocol.score(row, 'second', { judge: 'none', options })).toMatchObject({ correct: null })
  })

  it('follows the older rule for integers when asked to', async () => {
    const row = rowOf(mathvista, mathvistaInteger)
    const score = (legacyInt: boolean) =>
      protocol.score(row, 'about', { judge: new ScriptedJudge(['14.0']), options: { ...options, legacyInt } })
    expect(await score(false)).toMatchObject({ correct: true })
    expect(await score(true)).toMatchObject({ correct: false })
  })

  it('calls an empty response right only if the shortest choice is', async () => {
    const shortest = rowOf(mathvista, { ...mathvistaChoice, answer: '9 cm' })
    expect(await protocol.score(shortest, '', { judge: 'none', options })).toMatchObject({ correct: true })
    const ignoring = { judge: 'none', options: { ...options, ignoreEmpty: true } } as const
    expect(await protocol.score(shortest, '', ignoring)).toMatchObject({ correct: false })
    expect(await protocol.score(rowOf(mathvista, mathvistaList), '', { judge: 'none', options })).toMatchObject({
      correct: false,
    })
  })
})

describe("the toolkit's scoring", () => {
  const protocol = mathvista.protocols.vlmevalkit as Protocol
  const score = (values: Record<string, unknown>, response: string, judge: ScriptedJudge | 'none') =>
    protocol.score(rowOf(mathvista, values), response, { judge, options: {} })

  it('settles an option by matching, right or wrong', async () => {
    expect(await score(mathvistaChoice, 'It is B', 'none')).toMatchObject({ correct: true, path: 'rule:match' })
    expect(await score(mathvistaChoice, 'It is A', 'none')).toMatchObject({ correct: false, path: 'rule:match' })
    expect(await score(mathvistaChoice, 'Cannot determine the answer', 'none')).toMatchObject({
      extraction: 'Z',
      correct: false,
    })
  })

  it('settles a number only if it is right already, and rounds nothing', async () => {
    expect(await score(mathvistaInteger, ' 14 ', 'none')).toMatchObject({ correct: true, path: 'rule:match' })
    expect(await score(mathvistaInteger, '15', 'none')).toMatchObject({ correct: null })
    const judge = new ScriptedJudge(['2.675'])
    expect(await score(mathvistaFloat, '2.675', judge)).toEqual({
      extraction: '2.675',
      correct: false,
      path: 'judge:extract',
      calls: 1,
    })
    expect(judge.asked[0]!.prompt).toMatch(/\(Unit: g\)\nModel respone: 2\.675Extracted answer:$/)
  })

  it('tries five times at rising temperatures before it gives up', async () => {
    const judge = new ScriptedJudge([])
    expect(await score(mathvistaInteger, 'about 14', judge)).toMatchObject({ correct: null, calls: 5 })
    expect(judge.asked.map(({ options }) => options.temperature)).toEqual([0, 0.5, 1, 1.5, 2])
    expect(await score(mathvistaInteger, 'about 14', new ScriptedJudge([null, '14']))).toMatchObject({
      correct: true,
      calls: 2,
    })
  })

  it('never calls a list right', async () => {
    const judge = new ScriptedJudge(['[1, 2]'])
    expect(await score(mathvistaList, '[1, 2]', judge)).toMatchObject({ correct: false, path: 'rule:list', calls: 0 })
  })
})

it('reports percentages of two decimals, and a row under each of its skills', () => {
  const right = rowOf(mathvista, mathvistaChoice)
  const wrong = rowOf(mathvista, { ...mathvistaFloat, metadata: { ...mathvistaChoice.metadata, skills: [] } })
  const rows = [scored(right, true), scored(wrong, false), scored({ ...wrong, id: '9' }, null)]
  const summary = mathvista.protocols.official!.summarize(rows)
  expect(summary).toMatchObject({ score: 1 / 3, metric: 'accuracy', n: 3, correct: 1, extra: { printed: '33.33%' } })
  expect(summary.breakdowns.skills).toEqual({
    'logical reasoning': { n: 1, correct: 1, accuracy: 1, text: '100.00%' },
    'statistical reasoning': { n: 1, correct: 1, accuracy: 1, text: '100.00%' },
  })
})
