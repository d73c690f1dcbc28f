/** Which judge is meant: one of one's own, an endpoint whose replies are stored in the folder, or none. */

import { join } from 'node:path'
import { ColdstartError } from '../../errors.js'
import { type OpenAiJudge, openAiJudge } from '../judge/openai.js'
import type { OpenAiJudgeOptions } from '../judge/options.js'
import { readReport } from '../store.js'
import type { JudgeChoice, Protocol } from '../types.js'

/**
 * `rules`: the rules of this package in a judge's place. `none`: rows that need a judge stay unjudged. An endpoint's options: its replies
 * are kept in `judge.jsonl` of the folder. Or any object that answers questions.
 */
export type JudgeOption = JudgeChoice | Omit<OpenAiJudgeOptions, 'transcripts'>

/** A judge to use, and its end. */
export interface OpenJudge {
  choice: JudgeChoice
  /** `E_JUDGE` if questions were put to an endpoint and none of them was answered: what was scored says nothing then. */
  assertAnswered(): void
  close(): Promise<void>
}

/** Makes ready what the option means. An endpoint that the protocol never asks is not opened. */
export function openJudge(option: JudgeOption, protocol: Protocol, folder: string): OpenJudge {
  const nothing = { assertAnswered: () => {}, close: async (): Promise<void> => {} }
  if (typeof option === 'string') return { choice: option, ...nothing }
  const name = 'ask' in option ? option.name : option.model
  // Reports name a judge by its model, and these words mean that there was none.
  if (name === 'rules' || name === 'none') {
    throw new ColdstartError(
      'E_CONFIG',
      `the judge's model cannot be called ${name}: that word means no model at all`,
      {
        hint: 'serve the model under another name',
      },
    )
  }
  if (protocol.judge === 'never') return { choice: 'none', ...nothing }
  if ('ask' in option) return { choice: option, ...nothing }
  const judge: OpenAiJudge = openAiJudge({ ...option, transcripts: join(folder, 'judge.jsonl') })
  return { choice: judge, assertAnswered: () => assertAnswered(judge), close: () => judge.close() }
}

function assertAnswered({ name, stats: { calls, answered, stored, lastFailure } }: OpenAiJudge): void {
  if (calls === 0 || answered + stored > 0) return
  throw new ColdstartError('E_JUDGE', `the judge ${name} answered none of the questions; the last: ${lastFailure}`, {
    hint: 'the responses are stored: mend the endpoint, and the same command asks again',
  })
}

/** The judge of the last report in a folder, by its stored replies only; the rules where there is none. */
export async function lastJudge(folder: string): Promise<JudgeOption> {
  const name = (await readReport(folder))?.judge ?? 'rules'
  return name === 'rules' || name === 'none' ? name : { model: name, missing: 'unjudged' }
}
