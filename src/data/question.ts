/** What a model is asked with: a row that may end in its response, without it. */

import type { Row, RowMessage } from './types.js'

/** The conversation up to the turn that is to be generated. */
export function questionOf({ messages }: Pick<Row, 'messages'>): RowMessage[] {
  return messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages
}
