/** MATH-Vision: competition mathematics with pictures, scored by string rules without a judge. */

import { judgePrompt } from '../../judge-prompts.js'
import { lettered, matchOption } from '../../option-matching.js'
import { official, vlmevalkit } from '../../presets.js'
import type { Benchmark, BenchmarkRow } from '../../types.js'
import { asIs, askJudge, unjudged } from '../judging.js'
import { paperProtocol } from '../paper.js'
import { defineProtocol } from '../protocol.js'
import { type RulesTask, scoreByRules } from '../rules.js'
import { mathvisionFields, mathvisionSplits, readMathVision } from './data.js'
import { closeAnswer, isRight } from './equality.js'
import { extractAnswer } from './extraction.js'
import { officialText, paperText, toolkitText } from './prompt.js'
import { summarizeMathVision } from './report.js'

function rules(row: BenchmarkRow): RulesTask {
  const { options } = mathvisionFields(row)
  return options.length === 0 ? { gold: row.gold } : { gold: row.gold, options: lettered(options) }
}

const officialProtocol = defineProtocol({
  benchmark: 'mathvision',
  preset: official.preset,
  version: '1',
  sampling: official.sampling,
  options: {},
  judge: 'never',
  prompt: (row) => ({ text: officialText(mathvisionFields(row)), images: row.images }),
  async score(row, response) {
    const extraction = extractAnswer(response)
    const correct = isRight(row.gold, mathvisionFields(row).options, extraction)
    return { extraction: extraction === '' ? null : extraction, correct, path: 'rule:equal', calls: 0 }
  },
  summarize: summarizeMathVision,
})

const vlmevalkitProtocol = defineProtocol({
  benchmark: 'mathvision',
  preset: vlmevalkit.preset,
  version: '1',
  pixels: vlmevalkit.pixels,
  sampling: vlmevalkit.sampling,
  options: {},
  judge: 'optional',
  prompt: (row) => ({ text: toolkitText(mathvisionFields(row)), images: row.images }),
  async score(row, response, scoring) {
    const found = toolkitAnswer(response, row)
    // Without options a text counts as found only if it is right already.
    if (found !== null && (mathvisionFields(row).options.length > 0 || found.correct)) {
      return { extraction: found.text, correct: found.correct, path: 'rule:match', calls: 0 }
    }
    const { judge } = scoring
    if (judge === 'rules') return scoreByRules(response, rules(row))
    if (judge === 'none') return unjudged(null)
    const fields = { question: toolkitText(mathvisionFields(row)), prediction: response }
    const prompt = judgePrompt('vlmevalkit.mathvision.extract', fields)
    const { value, calls } = await askJudge(judge, prompt, vlmevalkit.judge, scoring, asIs)
    if (value === null) return unjudged(null, calls)
    return { extraction: value, correct: toolkitAnswer(value, row)?.correct === true, path: 'judge:extract', calls }
  },
  summarize: summarizeMathVision,
})

/** A text as the toolkit reads it: an option's letter, null if it names none; without options the text itself. */
function toolkitAnswer(text: string, row: BenchmarkRow): { text: string; correct: boolean } | null {
  const { options } = mathvisionFields(row)
  if (options.length === 0) return { text, correct: closeAnswer(row.gold, text) }
  const letter = matchOption(text, lettered(options))
  return letter === null ? null : { text: letter, correct: letter === row.gold }
}

export const mathvision: Benchmark = {
  name: 'mathvision',
  splits: mathvisionSplits,
  read: readMathVision,
  protocols: {
    paper: paperProtocol({
      benchmark: 'mathvision',
      question: (row) => paperText(mathvisionFields(row)),
      rules,
      summarize: summarizeMathVision,
    }),
    vlmevalkit: vlmevalkitProtocol,
    official: officialProtocol,
  },
}
