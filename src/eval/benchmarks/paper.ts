/** The protocol `paper`: one for all benchmarks, which add their questions and what rules compare. */

import { extractBoxed } from '../../reward/boxed.js'
import { judgePrompt } from '../judge-prompts.js'
import { paper } from '../presets.js'
import type { BenchmarkName, BenchmarkRow, Protocol, ScoredRow, Summary } from '../types.js'
import { askJudge, judgeSpan, unjudged, yesNo } from './judging.js'
import { defineProtocol } from './protocol.js'
import { type RulesTask, scoreByRules } from './rules.js'

/** What a benchmark adds. */
export interface PaperParts {
  benchmark: BenchmarkName
  /** Question text. */
  question: (row: BenchmarkRow) => string
  rules: (row: BenchmarkRow) => RulesTask
  summarize: (rows: readonly ScoredRow[]) => Summary
}

export function paperProtocol({ benchmark, question, rules, summarize }: PaperParts): Protocol {
  // Numbered placeholders, as MATH-Vision has them, stay in the text.
  const plainQuestion = (row: BenchmarkRow): string => question(row).replaceAll('<image>', '')
  return defineProtocol({
    benchmark,
    preset: paper.preset,
    version: '1',
    pixels: paper.pixels,
    sampling: paper.sampling,
    options: { suffix: paper.suffix },
    judge: 'required',
    prompt: (row, options) => ({
      system: paper.system,
      text: plainQuestion(row) + (options.suffix ?? paper.suffix),
      images: row.images.slice(0, 1),
    }),
    async score(row, response, scoring) {
      const { judge } = scoring
      if (judge === 'rules') return scoreByRules(response, rules(row))
      const extraction = extractBoxed(response)
      if (judge === 'none') return unjudged(extraction)
      const fields = { question: plainQuestion(row), answer: row.gold, response: judgeSpan(response) }
      const { value, calls } = await askJudge(judge, judgePrompt('paper.judge', fields), paper.judge, scoring, yesNo)
      return value === null ? unjudged(extraction, calls) : { extraction, correct: value, path: 'judge:yes-no', calls }
    },
    summarize,
  })
}
