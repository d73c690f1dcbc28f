// An evaluation that was never run, with plausible rows, for tests of the page.

import { breakdownsOf } from '../../src/eval/breakdown.js'
import { wilson } from '../../src/eval/interval.js'
import type { EvaluationReport } from '../../src/eval/run/types.js'
import type { EvalPage } from '../../src/report/eval-report.js'
import type { EvalRow } from '../../src/report/eval-row.js'
import { random } from '../../src/study/random.js'

const TASKS = [
  'figure question answering',
  'geometry problem solving',
  'math word problem',
  'textbook question answering',
]
const SKILLS = ['algebraic reasoning', 'arithmetic reasoning', 'geometry reasoning', 'statistical reasoning']
const SOURCES = Array.from({ length: 19 }, (_, index) => `source ${index + 1}`)

/** Rows with every verdict among them. `thumbnail` gives the picture of a row. */
export function fakeRows(n: number, thumbnail?: (index: number) => string): EvalRow[] {
  const noise = random(1, 'fake evaluation')
  const pick = <T>(list: readonly T[]): T => list[noise.below(list.length)] as T
  return Array.from({ length: n }, (_, index) => {
    const gold = String(noise.between(2, 99))
    const kind = noise.below(20)
    const correct = kind === 0 ? null : kind < 13
    const extraction = kind === 1 ? null : correct ? gold : String(Number(gold) + 1)
    const steps = Array.from(
      { length: noise.between(3, 30) },
      (_, step) => `Step ${step + 1}: read the figure; x = ${step}.`,
    )
    const picture = thumbnail?.(index)
    return {
      id: String(index + 1),
      question: `What is the value of x in the figure?\n(A) ${gold}\n(B) 7\n(C) 11`,
      gold,
      response: kind === 2 ? null : `${steps.join('\n')}\nSo the answer is \\boxed{${extraction ?? ''}`,
      extraction: kind === 2 ? null : extraction,
      correct: kind === 2 ? false : correct,
      path: kind === 2 ? 'missing' : correct === null ? 'unjudged' : pick(['rule:choice', 'judge:score']),
      groups: { task: pick(TASKS), skills: [pick(SKILLS), pick(SKILLS)], source: pick(SOURCES) },
      truncated: kind === 3,
      tokens: 40 * steps.length,
      images: kind === 4 ? 3 : 1,
      ...(picture === undefined ? {} : { thumbnail: picture }),
    }
  })
}

/** The page of these rows. */
export function fakePage(rows: EvalRow[], more: Partial<EvaluationReport> = {}): EvalPage {
  const scored = rows.map(({ id, gold, groups, correct, extraction, path, response }) => ({
    row: { id, source: `testmini.jsonl:${id}`, images: [], gold, groups, fields: {} },
    scored: { extraction, correct, path, calls: 1 },
    response,
  }))
  const correct = rows.filter((row) => row.correct === true).length
  const count = (test: (row: EvalRow) => boolean) => rows.filter(test).length
  const unjudged = count((row) => row.correct === null)
  return {
    name: 'grpo-7b',
    rows,
    report: {
      format: 1,
      coldstart: '1.2.3',
      protocol: { benchmark: 'mathvista', preset: 'official', version: '1', options: { quick: false } },
      judge: 'gpt-4o-mini',
      sampling: { temperature: 0.2, maxNewTokens: 2048, seed: 0 },
      pixels: { minPixels: 50_176, maxPixels: 1_003_520 },
      answers: { kind: 'model', path: 'runs/grpo-7b', fingerprint: 'ab'.repeat(32), dtype: 'bfloat16' },
      dataset: {
        path: 'data/MathVista',
        from: { data: '../../data/MathVista', imageRoot: null },
        split: 'testmini',
        fingerprint: 'cd'.repeat(32),
        images: 'ef'.repeat(32),
        revision: '12'.repeat(20),
        rows: rows.length,
        published: rows.length,
        answered: rows.length,
      },
      subset: false,
      incomplete: unjudged > 0.01 * rows.length,
      score: correct / rows.length,
      metric: 'accuracy',
      ci95: wilson(correct, rows.length),
      n: rows.length,
      correct,
      breakdowns: breakdownsOf(scored),
      rows: rows.length,
      unjudged,
      withoutGold: 0,
      noAnswer: count((row) => row.response !== null && row.extraction === null),
      missing: count((row) => row.response === null),
      truncated: count((row) => row.truncated),
      paths: { 'rule:choice': 10, 'judge:score': rows.length - 10 },
      judgeCalls: 2 * rows.length,
      seconds: { generating: 5421.3, scoring: 310 },
      tokens: { prompt: 812 * rows.length, response: 400 * rows.length },
      ...more,
    },
  }
}
