/** We-Math: composite problems with their single steps, all of them multiple choice. */

import { judgePrompt } from '../../judge-prompts.js'
import { matchOption } from '../../option-matching.js'
import { official, vlmevalkit } from '../../presets.js'
import type { Benchmark, BenchmarkRow, Scored } from '../../types.js'
import { askJudge, unjudged } from '../judging.js'
import { paperProtocol } from '../paper.js'
import { defineProtocol } from '../protocol.js'
import { type RulesTask, scoreByRules } from '../rules.js'
import { withDomains } from './accuracy.js'
import { readWeMath, wemathFields, wemathSplits } from './data.js'
import { extractLetter } from './extraction.js'
import { parseOptions } from './options.js'
import { judgeOptions, officialText, paperText, toolkitText } from './prompt.js'
import { summarizeAccuracy, summarizeStrict } from './report.js'

function rules(row: BenchmarkRow): RulesTask {
  return { gold: row.gold, options: parseOptions(wemathFields(row).option) }
}

function scoreByLetter(row: BenchmarkRow, response: string): Scored {
  const extraction = extractLetter(response)
  return { extraction, correct: extraction === row.gold, path: 'rule:letter', calls: 0 }
}

const officialProtocol = defineProtocol({
  benchmark: 'wemath',
  preset: official.preset,
  version: '1',
  sampling: official.sampling,
  options: {},
  judge: 'never',
  prompt: (row) => ({ text: officialText(wemathFields(row)), images: row.images }),
  score: async (row, response) => scoreByLetter(row, response),
  summarize: summarizeStrict,
})

/** The toolkit sets no limit on this reply, and repeats the question as it was. */
const matching = { temperatures: [0, 0, 0] }

const vlmevalkitProtocol = defineProtocol({
  benchmark: 'wemath',
  preset: vlmevalkit.preset,
  version: '1',
  pixels: vlmevalkit.pixels,
  sampling: vlmevalkit.sampling,
  options: { cot: false },
  judge: 'optional',
  prompt: (row, options) => ({ text: toolkitText(wemathFields(row), options.cot === true), images: row.images }),
  async score(row, response, scoring) {
    const { judge } = scoring
    if (judge === 'rules') return scoreByRules(response, rules(row))
    // So does the toolkit: without a judge it does not match options either.
    if (judge === 'none') return scoreByLetter(row, response)
    const { question, option } = wemathFields(row)
    const options = parseOptions(option)
    const found = matchOption(response, options)
    if (found !== null) return { extraction: found, correct: found === row.gold, path: 'rule:match', calls: 0 }
    const fields = { question, options: judgeOptions(option), prediction: response }
    const prompt = judgePrompt('vlmevalkit.wemath.match', fields)
    const asked = await askJudge(judge, prompt, matching, scoring, (reply) => matchOption(reply, options))
    const { value, calls, answered } = asked
    if (value !== null) return { extraction: value, correct: value === row.gold, path: 'judge:match', calls }
    // Here the toolkit draws a letter at random.
    return answered ? { extraction: null, correct: false, path: 'judge:no-match', calls } : unjudged(null, calls)
  },
  summarize: summarizeStrict,
})

export const wemath: Benchmark = {
  name: 'wemath',
  splits: wemathSplits,
  read: readWeMath,
  // For the scores by domain of knowledge.
  companion: { file: 'knowledge_structure_nodes.json', add: withDomains },
  protocols: {
    paper: paperProtocol({
      benchmark: 'wemath',
      question: (row) => paperText(wemathFields(row)),
      rules,
      summarize: summarizeAccuracy,
    }),
    vlmevalkit: vlmevalkitProtocol,
    official: officialProtocol,
  },
}
