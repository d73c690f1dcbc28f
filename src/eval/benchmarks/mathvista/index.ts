/** MathVista: figures, diagrams and puzzles, with answers that are choices, integers, decimals or lists. */

import { judgePrompt, mathvistaExamples } from '../../judge-prompts.js'
import { lettered, matchOption } from '../../option-matching.js'
import { official, vlmevalkit } from '../../presets.js'
import { pythonFloat, pythonInt, pythonPercent } from '../../python-numbers.js'
import type { Benchmark, BenchmarkRow, Scored, ScoredRow, Summary } from '../../types.js'
import { asIs, askJudge, unjudged } from '../judging.js'
import { paperProtocol } from '../paper.js'
import { accuracySummary, defineProtocol } from '../protocol.js'
import { type RulesTask, scoreByRules } from '../rules.js'
import { mathvistaSplits, readMathVista } from './data.js'
import { normalise, shortcut } from './extraction.js'
import { mathvistaFields } from './fields.js'

const query = (row: BenchmarkRow): string => mathvistaFields(row).query

function summarize(rows: readonly ScoredRow[]): Summary {
  return accuracySummary(rows, (correct, n) => pythonPercent(correct / Math.max(n, 1), 2))
}

function rules(row: BenchmarkRow): RulesTask {
  const { question_type, choices } = mathvistaFields(row)
  if (question_type === 'free_form') return { gold: row.gold }
  return { gold: goldLetter(row), options: lettered(choices) }
}

/** Of repeated choices the first. */
function goldLetter(row: BenchmarkRow): string {
  return Object.keys(lettered(mathvistaFields(row).choices))[mathvistaFields(row).choices.indexOf(row.gold)] ?? ''
}

const officialProtocol = defineProtocol({
  benchmark: 'mathvista',
  preset: official.preset,
  version: '1',
  sampling: official.sampling,
  options: { quick: false, ignoreEmpty: false, legacyInt: false },
  judge: 'optional',
  prompt: (row) => ({ text: query(row), images: row.images }),
  async score(row, response, scoring) {
    const form = mathvistaFields(row)
    const verdict = (extraction: string, path: string, calls: number): Scored => {
      const correct = normalise(extraction, form, scoring.options) === row.gold
      return { extraction: extraction === '' ? null : extraction, correct, path, calls }
    }
    const found = shortcut(response, form, scoring.options.quick === true)
    if (found !== null) return verdict(found, 'rule:shortcut', 0)
    const { judge } = scoring
    if (judge === 'rules') return scoreByRules(response, rules(row))
    if (judge === 'none') return unjudged(null)
    const prompt = `${mathvistaExamples()}\n\n${query(row)}\n\n${response}\n\nExtracted answer: `
    const { value, calls } = await askJudge(judge, prompt, official.judge, scoring, asIs)
    return value === null ? unjudged(null, calls) : verdict(value, 'judge:extract', calls)
  },
  summarize,
})

const vlmevalkitProtocol = defineProtocol({
  benchmark: 'mathvista',
  preset: vlmevalkit.preset,
  version: '1',
  pixels: vlmevalkit.pixels,
  sampling: vlmevalkit.sampling,
  options: {},
  judge: 'optional',
  prompt: (row) => ({ text: query(row), images: row.images }),
  async score(row, response, scoring) {
    const form = mathvistaFields(row)
    // The toolkit compares the word None with a list, whatever was extracted.
    if (form.question_type === 'free_form' && form.answer_type === 'list') {
      return { extraction: null, correct: false, path: 'rule:list', calls: 0 }
    }
    const found = toolkitAnswer(response, row)
    // A number counts as found only if it is right already.
    if (found !== null && (form.question_type === 'multi_choice' || found.correct)) {
      return { extraction: found.text, correct: found.correct, path: 'rule:match', calls: 0 }
    }
    const { judge } = scoring
    if (judge === 'rules') return scoreByRules(response, rules(row))
    if (judge === 'none') return unjudged(null)
    const prompt = judgePrompt('vlmevalkit.mathvista.extract', { question: form.query, prediction: response })
    const { value, calls } = await askJudge(judge, prompt, vlmevalkit.judge, scoring, asIs)
    if (value === null) return unjudged(null, calls)
    return { extraction: value, correct: toolkitAnswer(value, row)?.correct === true, path: 'judge:extract', calls }
  },
  summarize,
})

/** A text as the toolkit reads it: an option's letter, or a number without rounding; null if it is neither. */
function toolkitAnswer(text: string, row: BenchmarkRow): { text: string; correct: boolean } | null {
  const { question_type, answer_type, choices } = mathvistaFields(row)
  if (question_type === 'multi_choice') {
    const letter = matchOption(text, lettered(choices))
    return letter === null ? null : { text: letter, correct: letter === goldLetter(row) }
  }
  const read = answer_type === 'integer' ? pythonInt : pythonFloat
  const value = read(text)
  return value === null ? null : { text, correct: value === read(row.gold) }
}

export const mathvista: Benchmark = {
  name: 'mathvista',
  splits: mathvistaSplits,
  read: readMathVista,
  protocols: {
    paper: paperProtocol({ benchmark: 'mathvista', question: query, rules, summarize }),
    vlmevalkit: vlmevalkitProtocol,
    official: officialProtocol,
  },
}
