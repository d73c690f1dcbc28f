// The table of a run: nothing stands in it that the numbers do not say.
import { describe, expect, it } from 'vitest'
import { describeReport } from '../../src/cli/eval-table.js'
import type { EvaluationReport } from '../../src/eval/run/types.js'
import { fakePage, fakeRows } from '../report/fake-evaluation.js'

const tableOf = (more: Partial<EvaluationReport>) => describeReport(fakePage(fakeRows(20), more).report, 'runs/x')

describe('describeReport', () => {
  it('says how many are right only where the score is their share', () => {
    expect(tableOf({ score: 0.25, n: 20, correct: 5 })).toMatch(/^accuracy 25\.0 % \(.*\): 5 of 20 right$/m)
    // We-Math: 18 mastered problems, and half a point for each of 33 more.
    const strict = tableOf({ metric: 'strict score', score: 34.5 / 525, n: 525, correct: 18 })
    expect(strict).toMatch(/^strict score 6\.6 % \(95 % interval [^:]*\)$/m)
    expect(strict).not.toContain('of 525')
  })

  it('sets no counts of right rows beside a score by group that is no share of them', () => {
    const breakdowns = {
      domain: { Plane: { n: 30, correct: 12, accuracy: 0.5, text: '50.00%' } },
      key: { '2steps_1': { n: 30, correct: 15, accuracy: 0.5, text: '50.00%' } },
      level: { 1: { n: 4, correct: 2, accuracy: 0.5, text: '2/4=50.0%' } },
    }
    const table = tableOf({ breakdowns })
    expect(table).toMatch(/^ {2}Plane +50\.00% {2}over 30$/m)
    expect(table).toMatch(/^ {2}2steps_1 +50\.00% {2}15 of 30$/m)
    expect(table).toMatch(/^ {2}1 +2\/4=50\.0%$/m)
  })

  it('tells rows without an image', () => {
    const { dataset } = fakePage(fakeRows(20)).report
    expect(tableOf({ dataset: { ...dataset, withoutImage: 3 } })).toMatch(/^3 rows have no image in the data$/m)
    expect(tableOf({})).not.toMatch(/no image/)
  })
})
