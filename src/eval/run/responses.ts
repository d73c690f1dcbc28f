/** Responses made elsewhere: one JSON object a line, `{ "id": …, "response": … }`. */

import { closest } from '../../config/suggest.js'
import { Fingerprint } from '../../data/fingerprint.js'
import { kindOf } from '../../data/images.js'
import { readRecords } from '../../data/records.js'
import { ColdstartError } from '../../errors.js'
import type { BenchmarkRow } from '../types.js'
import type { ResponseLine } from './types.js'

/**
 * The responses of `rows`, in their order; a row without one has `response: null`. Ids may be numbers. `finishReason`
 * is taken where it stands beside a response, so that a `rows.jsonl` can be read too; other keys are passed over.
 *
 * @param known ids of the whole split: a response to any other is an error, one to a row left out is not.
 * @throws ColdstartError `E_DATA_ROW` for an unknown id, an id given twice, or a response that is no text.
 */
export async function readResponses(
  path: string,
  rows: readonly BenchmarkRow[],
  known: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<ResponseLine[]> {
  const found = new Map<string, { source: string; line: ResponseLine }>()
  for await (const { source, record } of readRecords(path, new Fingerprint(), signal)) {
    if (record instanceof ColdstartError) {
      throw new ColdstartError(record.code, `${source}: ${record.message}`, { cause: record })
    }
    const line = lineOf(record, source)
    const earlier = found.get(line.id)
    if (earlier !== undefined) {
      throw new ColdstartError('E_DATA_ROW', `${source}: ${JSON.stringify(line.id)} was answered at ${earlier.source}`)
    }
    if (!known.has(line.id)) {
      const near = closest(line.id, [...known])
      throw new ColdstartError('E_DATA_ROW', `${source}: no row of the data has the id ${JSON.stringify(line.id)}`, {
        hint: near === undefined ? 'check that the responses belong to this split' : `the nearest id is ${near}`,
      })
    }
    found.set(line.id, { source, line })
  }
  return rows.map(({ id }) => found.get(id)?.line ?? { ...nothing, id, response: null })
}

const nothing = { promptHash: null, finishReason: null, promptTokens: 0, tokens: 0, seconds: 0 }

function lineOf(record: Readonly<Record<string, unknown>>, source: string): ResponseLine {
  const { id, response, finishReason } = record
  if (typeof id !== 'string' && typeof id !== 'number') {
    throw new ColdstartError('E_DATA_ROW', `${source}: id: expected a text or a number, got ${kindOf(id)}`)
  }
  if (typeof response !== 'string') {
    throw new ColdstartError('E_DATA_ROW', `${source}: response: expected a text, got ${kindOf(response)}`, {
      hint: 'leave the line out for a row without a response',
    })
  }
  const ended = finishReason === 'stop' || finishReason === 'length' ? finishReason : null
  return { ...nothing, id: String(id), response, finishReason: ended }
}
