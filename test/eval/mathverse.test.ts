import { describe, expect, it } from 'vitest'
import { mathverse } from '../../src/eval/benchmarks/mathverse/index.js'
import { listedOptions, sameProse } from '../../src/eval/benchmarks/mathverse/rules.js'
import type { JudgeChoice, ProtocolOptions } from '../../src/eval/types.js'
import { mathverseChoice, mathverseVisionOnly, record, rowOf, ScriptedJudge, scored } from './benchmark-rows.js'

const mathverseTextOnly = { ...mathverseChoice, problem_version: 'Text Only', image: null }

describe('reading', () => {
  it('takes metadata as an object and as a printed dictionary', () => {
    const groups = { version: 'Text Lite', subject: 'Plane Geometry', subfield: 'Angle' }
    expect(rowOf(mathverse, mathverseChoice).groups).toEqual(groups)
    const metadata = { subject: 'Plane Geometry', subfield: 'Angle' }
    expect(rowOf(mathverse, { ...mathverseChoice, metadata }).groups).toEqual(groups)
  })

  it('has no image in the text-only split, and keeps the versions of the splits apart', () => {
    expect(rowOf(mathverse, mathverseTextOnly, 'testmini_text_only').images).toEqual([])
    expect(() => rowOf(mathverse, mathverseTextOnly, 'testmini')).toThrow('problem_version')
    expect(() => rowOf(mathverse, mathverseChoice, 'testmini_text_only')).toThrow('problem_version')
  })

  it('gives judges the full question where there is one', () => {
    expect(rowOf(mathverse, mathverseVisionOnly).fields.question_for_eval).toContain('Full text')
    expect(rowOf(mathverse, mathverseChoice).fields.question_for_eval).toContain('Find the angle')
  })

  it.each([
    ['metadata', { metadata: "{'subject': __import__('os')}" }],
    ['question_type', { question_type: 'multi_choice' }],
    ['query_cot', { query_cot: 3 }],
    ['sample_index', { sample_index: null }],
  ])('refuses a row with a bad %s and names it', (column, change) => {
    const bad = record({ ...mathverseChoice, ...change }, 'testmini.json[4]')
    expect(() => mathverse.read([bad], 'testmini')).toThrow(`testmini.json[4]: column ${column}`)
  })
})

describe('official scoring', () => {
  const protocol = mathverse.protocols.official!
  const score = (judge: JudgeChoice, options: ProtocolOptions = {}) =>
    protocol.score(rowOf(mathverse, mathverseVisionOnly), 'It is 60 degrees.', {
      judge,
      options: { ...protocol.options, ...options },
    })

  it('extracts, drops a repeated label, and judges the full question', async () => {
    const judge = new ScriptedJudge(['Extracted Answer: B\n', 'Judgement: 1'])
    expect(await score(judge)).toEqual({ extraction: 'B', correct: true, path: 'judge:score', calls: 2 })
    expect(judge.asked[0]!.prompt).toMatch(/Model response: 'It is 60 degrees\.'\nExtracted Answer: $/)
    expect(judge.asked[0]!.options).toMatchObject({ temperature: 0, maxTokens: 256 })
    expect(judge.asked[1]!.prompt).toContain('[Question]: Find the angle. Full text.\nChoices:')
    expect(judge.asked[1]!.prompt).toMatch(/\[Standard Answer\]: B\n\[Model_answer\] : B\nJudgement:$/)
  })

  it('asks again for a judgement that is neither 0 nor 1, and gives up after five', async () => {
    const judge = new ScriptedJudge(['B', 'maybe', '0'])
    expect(await score(judge)).toEqual({ extraction: 'B', correct: false, path: 'judge:score', calls: 3 })
    const lost = new ScriptedJudge(['B', 'a', 'b', 'c', 'd', 'e'])
    expect(await score(lost)).toEqual({ extraction: 'B', correct: null, path: 'unjudged', calls: 6 })
  })

  it('compares texts instead with the option quick', async () => {
    expect(await score(new ScriptedJudge(['B']), { quick: true })).toMatchObject({ correct: true, calls: 1 })
    expect(await score(new ScriptedJudge(['b']), { quick: true })).toMatchObject({ correct: false, path: 'rule:equal' })
  })

  it('hands only the last words to the extraction where that is asked for', async () => {
    const judge = new ScriptedJudge(['B', '1'])
    await score(judge, { lastWords: 2 })
    expect(judge.asked[0]!.prompt).toMatch(/Model response: '60 degrees\.'/)
  })

  it('is unjudged without a judge or an extraction', async () => {
    expect(await score('none')).toEqual({ extraction: null, correct: null, path: 'unjudged', calls: 0 })
    expect(await score(new ScriptedJudge([null]))).toMatchObject({ correct: null, calls: 1 })
  })
})

describe("the toolkit's scoring", () => {
  const protocol = mathverse.protocols.vlmevalkit!
  const score = (judge: JudgeChoice) =>
    protocol.score(rowOf(mathverse, mathverseVisionOnly), 'R', { judge, options: protocol.options })

  it('needs no judgement for an extraction that equals the answer', async () => {
    expect(await score(new ScriptedJudge([' B\n']))).toMatchObject({ correct: true, path: 'rule:equal', calls: 1 })
  })

  it('tries extraction and judgement five times each at rising temperatures', async () => {
    const judge = new ScriptedJudge([null, '60', 'Judgement: 1', null, '1'])
    expect(await score(judge)).toEqual({ extraction: '60', correct: true, path: 'judge:score', calls: 5 })
    expect(judge.asked.map(({ options }) => options.temperature)).toEqual([0, 0.5, 0, 0.5, 1])
    expect(judge.asked[2]!.prompt).toContain('    [Question]: Find the angle. Full text.')
    expect(judge.asked[2]!.prompt).toMatch(/\n {4}\[Model_answer\] : 60\n {4}Judgement:$/)
    expect(await score(new ScriptedJudge(['60']))).toMatchObject({ extraction: '60', correct: null, calls: 6 })
    expect(await score(new ScriptedJudge([]))).toMatchObject({ extraction: null, correct: null, calls: 5 })
  })
})

describe('rules in place of a judge', () => {
  const protocol = mathverse.protocols.official!
  const score = (values: Record<string, unknown>, response: string) =>
    protocol.score(rowOf(mathverse, values), response, { judge: 'rules', options: protocol.options })

  it.each(['so \\boxed{B}', 'so \\boxed{60^\\circ}', 'The answer is (B).', '\\boxed{B. 60°}'])(
    'accept the letter or the content of an option: %j',
    async (response) => {
      expect(await score(mathverseChoice, response)).toMatchObject({ correct: true, path: 'rules:option' })
    },
  )

  it.each(['so \\boxed{A}', '\\boxed{40}', '\\boxed{A, B}', '\\boxed{'])('reject %j', async (response) => {
    expect(await score(mathverseChoice, response)).toMatchObject({ correct: false })
  })

  it.each([
    ['Area $=9 \\pi \\mathrm{cm}^{2}$', '9\\pi'],
    ['256.2 \\mathrm{m}^2', '256.2 m^2'],
    ['270 ^\\circ T', '270'],
    ['118掳T', '118^{\\circ}'],
    ['S 23.5 ^\\circ W', 'S 23.5° W'],
    ['domain: [-4, 0) and range: (-3, 1]', 'Domain: $[-4,0)$ and Range: $(-3,1]$'],
    ['False', 'false'],
    ['B\nC', '\\text{BC}'],
  ])('strip names, units and bearings: %j is %j', (gold, given) => {
    expect(sameProse(given, gold)).toBe(true)
  })

  it('do not confuse values', () => {
    expect(sameProse('118', '119掳T')).toBe(false)
    expect(sameProse('9', 'Area $=9 \\pi$')).toBe(false)
  })

  it('read the options of a question', () => {
    expect(listedOptions('Q\nChoices:\nA:40°\nB: 60°\nC:')).toEqual({ A: '40°', B: '60°', C: '' })
    expect(listedOptions('no options')).toEqual({})
  })
})

describe('the report', () => {
  const row = (id: string, version: string) => ({
    ...rowOf(mathverse, mathverseChoice),
    id,
    groups: { version, subject: 'S', subfield: 'F' },
  })

  it('is the mean over the versions with a picture; text alone stands apart', () => {
    const rows = [
      scored(row('1', 'Text Lite'), true),
      scored(row('2', 'Vision Only'), false),
      scored(row('3', 'Text Only'), true),
    ]
    const summary = mathverse.protocols.official!.summarize(rows)
    expect(summary).toMatchObject({ score: 0.5, n: 2, metric: 'accuracy', extra: { printed: '0.500' } })
    expect(summary.breakdowns.version!['Text Only']).toMatchObject({ n: 1, text: '1.000' })
    expect(summary.breakdowns.subject).toEqual({ S: { n: 2, correct: 1, accuracy: 0.5, text: '0.500' } })
  })

  it('of the text-only split says so', () => {
    const summary = mathverse.protocols.official!.summarize([scored(row('1', 'Text Only'), true)])
    expect(summary).toMatchObject({ score: 1, n: 1, metric: 'accuracy, Text Only' })
  })

  it('names the golds that look damaged', () => {
    const damaged = { ...row('4', 'Text Lite'), gold: '118掳T' }
    expect(mathverse.protocols.official!.summarize([scored(damaged, false)]).extra).toMatchObject({
      suspiciousGolds: { 'broken character': ['4'] },
    })
  })
})
