/** MathVerse: one problem in six versions, from all text to all picture. */

import { judgePrompt } from '../../judge-prompts.js'
import { official, vlmevalkit } from '../../presets.js'
import { pythonStrip } from '../../python-text.js'
import type { Benchmark, BenchmarkRow } from '../../types.js'
import { asIs, askJudge, bareZeroOne, unjudged, zeroOne } from '../judging.js'
import { paperProtocol } from '../paper.js'
import { defineProtocol } from '../protocol.js'
import { scoreByRules } from '../rules.js'
import { mathverseFields, mathverseSplits, readMathVerse } from './data.js'
import { summarizeMathVerse } from './report.js'
import { mathverseRules } from './rules.js'

/** The script repeats an unusable judgement without end; five times are enough to tell. */
const officialJudgement = { temperatures: [0, 0, 0, 0, 0], maxTokens: official.judge.maxTokens }

const officialProtocol = defineProtocol({
  benchmark: 'mathverse',
  preset: official.preset,
  version: '1',
  sampling: official.sampling,
  options: { cot: true, quick: false, lastWords: 0 },
  judge: 'required',
  prompt(row, options) {
    const { query_cot, query_wo } = mathverseFields(row)
    return { text: options.cot === false ? query_wo : query_cot, images: row.images }
  },
  async score(row, response, scoring) {
    const { judge } = scoring
    if (judge === 'rules') return scoreByRules(response, mathverseRules(row))
    if (judge === 'none') return unjudged(null)
    const prompt = judgePrompt('mathverse.extract', { response: lastWords(response, scoring.options.lastWords) })
    const asked = await askJudge(judge, prompt, official.judge, scoring, asIs)
    if (asked.value === null) return unjudged(null, asked.calls)
    const extraction = pythonStrip(asked.value.replaceAll('Extracted Answer: ', ''))
    if (scoring.options.quick === true) {
      return { extraction, correct: extraction === row.gold, path: 'rule:equal', calls: asked.calls }
    }
    const fields = { question: questionForJudge(row), answer: row.gold, extraction }
    const judged = await askJudge(judge, judgePrompt('mathverse.score', fields), officialJudgement, scoring, zeroOne)
    const calls = asked.calls + judged.calls
    if (judged.value === null) return unjudged(extraction, calls)
    return { extraction, correct: judged.value === 1, path: 'judge:score', calls }
  },
  summarize: summarizeMathVerse,
})

const vlmevalkitProtocol = defineProtocol({
  benchmark: 'mathverse',
  preset: vlmevalkit.preset,
  version: '1',
  pixels: vlmevalkit.pixels,
  sampling: vlmevalkit.sampling,
  options: { cot: false },
  judge: 'required',
  prompt(row, options) {
    const { query_cot, question } = mathverseFields(row)
    return { text: options.cot === true ? query_cot : question, images: row.images }
  },
  async score(row, response, scoring) {
    const { judge } = scoring
    if (judge === 'rules') return scoreByRules(response, mathverseRules(row))
    if (judge === 'none') return unjudged(null)
    const extractPrompt = judgePrompt('vlmevalkit.mathverse.extract', { prediction: response })
    const asked = await askJudge(judge, extractPrompt, vlmevalkit.judge, scoring, asIs)
    const extraction = asked.value
    if (extraction === null) return unjudged(null, asked.calls)
    if (pythonStrip(extraction) === pythonStrip(row.gold)) {
      return { extraction, correct: true, path: 'rule:equal', calls: asked.calls }
    }
    const fields = { question_for_eval: questionForJudge(row), answer: row.gold, extract: extraction }
    const scorePrompt = judgePrompt('vlmevalkit.mathverse.score', fields)
    const judged = await askJudge(judge, scorePrompt, vlmevalkit.judge, scoring, bareZeroOne)
    const calls = asked.calls + judged.calls
    if (judged.value === null) return unjudged(extraction, calls)
    return { extraction, correct: judged.value === 1, path: 'judge:score', calls }
  },
  summarize: summarizeMathVerse,
})

/** The end of a long response, as the script cuts it: at single spaces. 0 keeps all. */
function lastWords(response: string, count = 0): string {
  return count > 0 ? response.split(' ').slice(-count).join(' ') : response
}

function questionForJudge(row: BenchmarkRow): string {
  return mathverseFields(row).question_for_eval
}

export const mathverse: Benchmark = {
  name: 'mathverse',
  splits: mathverseSplits,
  read: readMathVerse,
  protocols: {
    paper: paperProtocol({
      benchmark: 'mathverse',
      question: (row) => mathverseFields(row).question,
      rules: mathverseRules,
      summarize: summarizeMathVerse,
    }),
    vlmevalkit: vlmevalkitProtocol,
    official: officialProtocol,
  },
}
