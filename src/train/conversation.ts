// What supervised training learns from a row: its turns up to the response.
import type { Dataset } from '../data/dataset.js'
import type { Row, RowMessage } from '../data/types.js'

/** The turns of a row with its response last, which is an assistant turn or else the answer; undefined for a row with neither. */
export function conversationOf(row: Row): RowMessage[] | undefined {
  if (row.messages.at(-1)?.role === 'assistant') return row.messages
  if (row.answer === undefined) return undefined
  return [...row.messages, { role: 'assistant', content: [{ type: 'text', text: row.answer }] }]
}

/** The rows that have a response. The others are bad rows: an error, or left out, as the data set has it. */
export function withResponses(dataset: Dataset): Dataset {
  return dataset.without((row) =>
    conversationOf(row) ? undefined : { code: 'E_DATA_ROW', message: 'no assistant turn and no answer to train on' },
  )
}
