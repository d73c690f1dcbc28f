import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withDomains } from '../../src/eval/benchmarks/wemath/accuracy.js'
import { extractLetter } from '../../src/eval/benchmarks/wemath/extraction.js'
import { wemath } from '../../src/eval/benchmarks/wemath/index.js'
import { type Composite, fourDimensional, printedMetrics } from '../../src/eval/benchmarks/wemath/metrics.js'
import { parseOptions } from '../../src/eval/benchmarks/wemath/options.js'
import type { BenchmarkRow, JudgeChoice, ScoredRow } from '../../src/eval/types.js'
import { record, rowOf, ScriptedJudge, scored, wemathStep } from './benchmark-rows.js'

const composite = (text: string): Composite => {
  const verdicts = [...text].map((character) => character === '1')
  return { steps: verdicts.slice(0, -1), multi: verdicts.at(-1)! }
}

describe('the letter of a response', () => {
  it.each([
    ['<Answer>: <<B. 12>>', 'B'],
    ['As shown in the figure', 'A'],
    ['\\boxed{B}', null],
    ['Answer: (C)', null],
    ['Answer: b', null],
    ['The Answer is near <Answer>: << E >>', 'E'],
    ['', null],
  ])('%j is %s', (response, letter) => {
    expect(extractLetter(response)).toBe(letter)
  })
})

describe('options in one text', () => {
  it.each([
    ['A. 300, 400;B. 400, 300; C. No correct answer', { A: '300, 400', B: '400, 300', C: 'No correct answer' }],
    ['A. ①;B．②;C. ③', { A: '①', B: '②', C: '③' }],
    ['A. 4 B. 3', { A: '4', B: '3' }],
    ['A. No.; C. 1; F. 2', { A: 'No.', C: '1', F: '2' }],
    ['A: 1; B: 2', { A: '1', B: '2' }],
    ['A. A;    B. E;    C. F', { A: 'A', B: 'E', C: 'F' }],
    // A point called B within the text of A does not hide B.
    ['A. to point ;O.;B. to point ;O.', { A: 'to point ;O.', B: 'to point ;O.' }],
    ['B. 1; C. 2', {}],
    ['', {}],
  ])('%j', (text, options) => {
    expect(parseOptions(text)).toEqual(options)
  })

  it('come from the longest rising chain of markers', () => {
    expect(parseOptions('A. x C. y B. z C. w D. v')).toEqual({ A: 'x C. y', B: 'z', C: 'w', D: 'v' })
  })

  it('are found in linear time', () => {
    expect(Object.keys(parseOptions('A. B. '.repeat(100_000)))).toEqual(['A', 'B'])
  })
})

describe('four-dimensional metrics', () => {
  it.each([
    ['111', { CM: 1 }, { CM: 1 }],
    ['101', { RM: 1 }, { CM: 1 }],
    ['011', { RM: 1 }, { CM: 1 }],
    ['001', { RM: 1 }, { RM: 1 }],
    ['110', { IG: 1 }, { IG: 1 }],
    ['100', { IK: 1 }, { IK: 1 }],
    ['000', { IK: 1 }, { IK: 1 }],
    ['1110', { IG: 1 }, { IG: 1 }],
    ['1001', { RM: 1 }, { CM: 1 }],
  ])('steps and composite %s: strict %j, loose %j', (text, strict, loose) => {
    const { IK, IG, ...rest } = fourDimensional([composite(text)])
    const none = { IK: 0, IG: 0, CM: 0, RM: 0 }
    const classes = ({ CM, RM }: { CM: number; RM: number }) => ({ IK, IG, CM, RM })
    expect(classes(rest.strict)).toEqual({ ...none, ...strict })
    expect(classes(rest.loose)).toEqual({ ...none, ...loose })
  })

  it('count a missing response as wrong and report it', () => {
    const metrics = fourDimensional([
      { steps: [true, null], multi: true },
      { steps: [true, true], multi: null },
    ])
    expect(metrics).toMatchObject({ missing: 2, IG: 1, strict: { RM: 1 }, loose: { CM: 1 } })
  })

  it('have no rate of rote memorisation when nothing was solved', () => {
    expect(printedMetrics(fourDimensional([composite('000')])).strict).toEqual({
      CM: 0,
      RM: 0,
      CM_rate: '0.00%',
      RM_rate: null,
      score: '0.00%',
    })
  })

  it('put every problem in one class, and score (CM + IG/2)/N, on any table', () => {
    const verdict = fc.option(fc.boolean())
    const problem = fc.record({ steps: fc.array(verdict, { minLength: 2, maxLength: 3 }), multi: verdict })
    fc.assert(
      fc.property(fc.array(problem, { minLength: 1, maxLength: 60 }), (table) => {
        const { IK, IG, strict, loose } = fourDimensional(table)
        for (const { CM, RM, score } of [strict, loose]) {
          expect(IK + IG + CM + RM).toBe(table.length)
          expect(score).toBeCloseTo((CM + 0.5 * IG) / table.length, 12)
        }
        expect(loose.CM).toBeGreaterThanOrEqual(strict.CM)
        expect(fourDimensional([...table].reverse())).toEqual(fourDimensional(table))
      }),
    )
  })
})

/** The rows of one composite problem, from `110`: both steps right, the problem not; `-` has no response. */
function family(ID: string, verdicts: string): ScoredRow[] {
  const steps = verdicts.length - 1
  return [...verdicts].map((verdict, index) => {
    const key = `${steps}steps_${index === steps ? 'multi' : index + 1}`
    const row = rowOf(wemath, { ...wemathStep, ID, key })
    if (verdict !== '-') return scored(row, verdict === '1')
    return { ...scored(row, null, { path: 'missing', extraction: null }), response: null }
  })
}

describe('the report', () => {
  const rows = [...family('a', '111'), ...family('b', '110'), ...family('c', '1011'), ...family('d', '-01')]

  it('has the strict score as the headline, and accuracies by number of steps', () => {
    const { score, n, correct, metric, breakdowns, extra } = wemath.protocols.official!.summarize(rows)
    expect({ score, n, correct, metric }).toEqual({ score: 1.5 / 4, n: 4, correct: 1, metric: 'strict score' })
    expect(extra).toMatchObject({ printed: '37.50%', fourDimensional: { composites: 4, missing: 1, IG: 1 } })
    expect(breakdowns.accuracy).toMatchObject({
      S1: { n: 9, correct: 6, text: '66.67%' },
      S2: { n: 3, correct: 2 },
      S3: { n: 1, correct: 1 },
    })
  })

  it('is the plain mean over all rows for the paper', () => {
    const { score, n, metric } = wemath.protocols.paper!.summarize(rows)
    expect({ score, n, metric }).toEqual({ score: 9 / 13, n: 13, metric: 'accuracy' })
  })

  it('leaves out composite problems of which a part has only some rows, and says accuracy when none is complete', () => {
    const part = rows.filter(({ row }) => row.fields.ID !== 'a' || row.fields.key === '2steps_1')
    expect(wemath.protocols.official!.summarize(part).n).toBe(3)
    const steps = rows.slice(0, 2)
    expect(wemath.protocols.official!.summarize(steps)).toMatchObject({ metric: 'accuracy', n: 2, score: 1 })
  })

  it('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        expect(wemath.protocols.official!.summarize(shuffled)).toEqual(wemath.protocols.official!.summarize(rows))
      }),
      { numRuns: 20 },
    )
  })
})

describe('domains', () => {
  const nodes = [
    { root2: 'Plane', 'full node': 'Measurement_Plane_Perimeter of Triangles' },
    { root2: 'Plane', 'full node': 'Measurement_Plane_Area' },
  ]
  const step = (ID: string, concept: string): BenchmarkRow =>
    rowOf(wemath, { ...wemathStep, ID, 'knowledge concept': concept })

  it('score the mean over their leaves, not over their rows', () => {
    const rows = withDomains([step('a', 'Area'), step('b', 'Area'), step('c', 'Perimeter of Triangles')], nodes)
    const { breakdowns } = wemath.protocols.official!.summarize(rows.map((row, index) => scored(row, index !== 1)))
    expect(breakdowns.domain).toEqual({ Plane: { n: 3, correct: 2, accuracy: 0.75, text: '75.00%' } })
  })

  it('are reported only if the nodes are given', () => {
    const { breakdowns } = wemath.protocols.official!.summarize([scored(step('a', 'Area'), true)])
    expect(breakdowns).not.toHaveProperty('domain')
  })

  it('refuse a concept without a node, and content that is no list of nodes', () => {
    expect(() => withDomains([step('a', 'Volume')], nodes)).toThrow(expect.objectContaining({ code: 'E_DATA_ROW' }))
    expect(() => withDomains([], { nodes })).toThrow(expect.objectContaining({ code: 'E_DATA_FORMAT' }))
    expect(() => withDomains([], [{ root2: 'Plane' }])).toThrow('node 0')
  })
})

describe('reading', () => {
  it('makes ids of ID and key, because ID joins a problem and its steps', () => {
    expect(rowOf(wemath, wemathStep)).toMatchObject({
      id: '2steps_9/2steps_1',
      gold: 'B',
      images: [{ source: '2steps/image/9-1.png' }],
    })
  })

  it.each([
    ['key', { key: '4steps_1' }],
    ['answer', { answer: 'b' }],
    ['option', { option: null }],
    ['knowledge concept', { 'knowledge concept': undefined }],
  ])('refuses a row with a bad %s and names it', (column, change) => {
    const bad = record({ ...wemathStep, ...change }, 'testmini.json[4]')
    expect(() => wemath.read([bad], 'testmini')).toThrow(`testmini.json[4]: column ${column}`)
  })
})

describe("the toolkit's scoring", () => {
  const protocol = wemath.protocols.vlmevalkit!
  const score = (response: string, judge: JudgeChoice) =>
    protocol.score(rowOf(wemath, wemathStep), response, { judge, options: protocol.options })

  it('matches options first', async () => {
    expect(await score('B', new ScriptedJudge([]))).toMatchObject({ correct: true, path: 'rule:match', calls: 0 })
  })

  it('asks the judge, who sees the options as a list, three times', async () => {
    const judge = new ScriptedJudge(['unclear', null, 'B'])
    const result = await score('the middle one, whichever that may be', judge)
    expect(result).toEqual({ extraction: 'B', correct: true, path: 'judge:match', calls: 3 })
    expect(judge.asked[0]!.prompt).toContain(
      'Options: There are several options: \nA. 5\nB. 6\nC. No correct answer\n\n<end>',
    )
    expect(judge.asked[0]!.options).not.toHaveProperty('maxTokens')
  })

  it('counts no match as wrong, where the toolkit draws a letter, and a silent judge as unjudged', async () => {
    const said = await score('the middle one, whichever that may be', new ScriptedJudge(['?', '?', '?']))
    expect(said).toEqual({ extraction: null, correct: false, path: 'judge:no-match', calls: 3 })
    const silent = await score('the middle one, whichever that may be', new ScriptedJudge([]))
    expect(silent).toMatchObject({ correct: null, path: 'unjudged' })
  })

  it('takes the letter of the template when there is no judge', async () => {
    expect(await score('Answer: B', 'none')).toMatchObject({ correct: true, path: 'rule:letter' })
  })
})

it('an empty response is never right', async () => {
  const row = rowOf(wemath, wemathStep)
  for (const protocol of Object.values(wemath.protocols)) {
    for (const judge of ['rules', 'none'] as const) {
      expect((await protocol.score(row, '', { judge, options: protocol.options })).correct).not.toBe(true)
    }
  }
})
