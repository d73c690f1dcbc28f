/** The report of an evaluation: numbers of the protocol, and what they rest on. */

import { version } from '../../version.js'
import { wilson } from '../interval.js'
import type { JudgeChoice, Protocol, ScoredRow } from '../types.js'
import type { EvaluationReport, ResponseLine, RunFacts, ScoreLine } from './types.js'

/** More of the rows than this without a verdict, and the score says too little. */
const toleratedUnjudged = 0.01

/** What a report is made of. `rows` and `responses` are in the order of the data. */
export interface ReportParts {
  facts: RunFacts
  protocol: Protocol
  judge: JudgeChoice
  rows: readonly ScoredRow[]
  responses: readonly ResponseLine[]
  scoringSeconds: number
}

/** Summarises scored rows. */
export function reportOf({ facts, protocol, judge, rows, responses, scoringSeconds }: ReportParts): EvaluationReport {
  const { score, metric, n, correct, breakdowns, extra } = protocol.summarize(rows)
  const count = (test: (row: ScoredRow) => boolean) => rows.filter(test).length
  const sum = (value: (line: ResponseLine) => number) => responses.reduce((total, line) => total + value(line), 0)
  const unjudged = count(({ scored }) => scored.correct === null)
  const { rows: read, published, answered } = facts.dataset
  const judgedBy = judgeName(protocol, judge)
  return {
    format: 1,
    coldstart: version,
    // Of the rules that were applied now: a folder may be scored again by later ones.
    protocol: { ...facts.protocol, version: protocol.version },
    judge: judgedBy,
    sampling: facts.sampling,
    pixels: facts.pixels,
    answers: facts.answers,
    dataset: facts.dataset,
    subset: read !== published || answered !== published,
    incomplete: unjudged > toleratedUnjudged * rows.length,
    score,
    // Verdicts by this package's rules are no score of the benchmark, also where no row needed one.
    metric: judgedBy === 'rules' ? `${metric} (rules)` : metric,
    // For a mean of values between 0 and 1 that are not all 0 or 1 this is wide rather than narrow.
    ci95: wilson(score * n, n),
    n,
    correct,
    breakdowns,
    ...(extra === undefined ? {} : { extra }),
    rows: rows.length,
    unjudged,
    noAnswer: count(({ scored, response }) => response !== null && scored.extraction === null),
    missing: count(({ response }) => response === null),
    truncated: responses.filter(({ finishReason }) => finishReason === 'length').length,
    withoutGold: count(({ row }) => row.gold === ''),
    paths: pathsOf(rows),
    judgeCalls: rows.reduce((total, { scored }) => total + scored.calls, 0),
    seconds: {
      generating: Number(sum(({ seconds }) => seconds).toFixed(3)),
      scoring: Number(scoringSeconds.toFixed(3)),
    },
    tokens: { prompt: sum(({ promptTokens }) => promptTokens), response: sum(({ tokens }) => tokens) },
  }
}

/** The lines of `scores.jsonl`. */
export function scoreLines(rows: readonly ScoredRow[]): ScoreLine[] {
  return rows.map(({ row, scored }) => ({ id: row.id, gold: row.gold, ...scored }))
}

function judgeName(protocol: Protocol, judge: JudgeChoice): string | null {
  if (protocol.judge === 'never') return null
  return typeof judge === 'string' ? judge : judge.name
}

function pathsOf(rows: readonly ScoredRow[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { scored } of rows) counts.set(scored.path, (counts.get(scored.path) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
