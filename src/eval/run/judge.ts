/** Which judge is meant: one of one's own, an endpoint whose replies are stored in the folder, or none. */

import { join } from 'node:path'
import { type OpenAiJudge, openAiJudge } from '../judge/openai.js'
import type { OpenAiJudgeOptions } from '../judge/options.js'
import type { JudgeChoice, Protocol } from '../types.js'

/**
 * `rules`: the rules of this package in a judge's place. `none`: rows that need a judge stay unjudged. An endpoint's options: its replies
 * are kept in `judge.jsonl` of the folder. Or any object that answers questions.
 */
export type JudgeOption = JudgeChoice | Omit<OpenAiJudgeOptions, 'transcripts'>

/** A judge to use, and its end. */
export interface OpenJudge {
  choice: JudgeChoice
  close(): Promise<void>
}

/** Makes ready what the option means. An endpoint that the protocol never asks is not opened. */
export function openJudge(option: JudgeOption, protocol: Protocol, folder: string): OpenJudge {
  const nothing = async (): Promise<void> => {}
  if (typeof option === 'string') return { choice: option, close: nothing }
  if (protocol.judge === 'never') return { choice: 'none', close: nothing }
  if ('ask' in option) return { choice: option, close: nothing }
  const judge: OpenAiJudge = openAiJudge({ ...option, transcripts: join(folder, 'judge.jsonl') })
  return { choice: judge, close: () => judge.close() }
}
