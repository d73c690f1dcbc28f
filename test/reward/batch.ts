import type { Row } from '../../src/index.js'
import type { RewardBatch } from '../../src/reward/types.js'

const rowOf = (answer: string | undefined, id: number): Row => ({
  messages: [{ role: 'user', content: [{ type: 'text', text: 'what?' }] }],
  ...(answer === undefined ? {} : { answer }),
  id: String(id),
  source: `rows[${id}]`,
  extra: {},
})

/** Prompts with their completions, as a trainer hands them to a reward. A token is a character here. */
export function batchOf(
  prompts: readonly { completions: readonly string[]; answer?: string | undefined }[],
  signal: AbortSignal = new AbortController().signal,
): RewardBatch {
  const rows = prompts.flatMap(({ completions, answer }, id) => {
    const row = rowOf(answer, id)
    return completions.map(() => row)
  })
  const completions = prompts.flatMap((prompt) => prompt.completions)
  return {
    prompts: rows.map((row) => row.messages),
    completions,
    completionTokens: completions.map((text) => text.length),
    truncated: completions.map(() => false),
    answers: rows.map((row) => row.answer),
    rows,
    signal,
    step: 1,
  }
}

/** One prompt without gold. */
export const texts = (...completions: string[]): RewardBatch => batchOf([{ completions }])
