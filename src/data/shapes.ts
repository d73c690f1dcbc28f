/**
 * The shapes of rows that people have: each is recognised by a column that only it has, and becomes turns, images and
 * a gold answer. What a shape does not use goes to `extra`.
 */

import { ColdstartError } from '../errors.js'
import { imagesOf, kindOf } from './images.js'
import type { PathResolver } from './paths.js'
import { type RawTurn, resolveTurns } from './turns.js'
import type { Role, RowMessage } from './types.js'

/** A record with its columns under their standard names. */
export type Columns = Map<string, unknown>

/** What a row holds, before it gets an id and a source. */
export interface Sample {
  messages: RowMessage[]
  answer?: string
  id?: string
  extra: Record<string, unknown>
}

/** A shape takes its columns and makes turns of them. */
type Shape = (row: Taker) => RawTurn[]

/** Shapes by the column that gives them away, in order of precedence. */
const shapes: readonly [column: string, shape: Shape][] = [
  ['messages', messagesShape],
  ['conversations', conversationsShape],
  ['problem', problemShape],
  ['query', queryShape],
  ['prompt', promptShape],
  ['instruction', instructionShape],
]

/** Every column that has a meaning; these are the names that `columns` can map. */
export const standardColumns: readonly string[] = [
  ...shapes.map(([column]) => column),
  ...['images', 'image', 'answer', 'solution', 'id', 'system', 'history', 'response', 'completion', 'input', 'output'],
]

/**
 * Makes a sample of a record.
 *
 * @throws ColdstartError `E_DATA_ROW` for a record of no known shape or with a wrong type somewhere; `E_PATH`,
 * `E_URL_BLOCKED` or `E_IMAGE_LIMIT` for its images.
 */
export function sampleOf(columns: Columns, paths: PathResolver): Sample {
  const row = new Taker(columns)
  const found = shapes.find(([column]) => row.has(column))
  if (found === undefined) {
    const known = shapes.map(([column]) => column).join(', ')
    const present = [...columns.keys()].slice(0, 20).join(', ') || 'none'
    throw new ColdstartError('E_DATA_ROW', `no column that holds the conversation (columns: ${present})`, {
      hint: `one of ${known} is needed; options.columns maps other names`,
    })
  }
  const turns = withSystem(found[1](row), row)
  const images = [...imagesOf(row.take('images'), 'images', paths), ...imagesOf(row.take('image'), 'image', paths)]
  const messages = resolveTurns(turns, images, paths)
  const answer = gold(row.take('answer'), 'answer') ?? gold(row.take('solution'), 'solution')
  const id = scalar(row.take('id'), 'id')
  const sample: Sample = { messages, extra: row.rest() }
  if (answer !== undefined) sample.answer = answer
  if (id !== undefined) sample.id = id
  return sample
}

/** `{messages: [{role, content}]}`: ms-swift, TRL, OpenAI. */
function messagesShape(row: Taker): RawTurn[] {
  return chatTurns(row.take('messages'), 'messages')
}

/** `{conversations: [{from, value}]}`: ShareGPT, LLaVA. */
function conversationsShape(row: Taker): RawTurn[] {
  const speakers: Record<string, Role> = {
    human: 'user',
    user: 'user',
    gpt: 'assistant',
    assistant: 'assistant',
    system: 'system',
  }
  return list(row.take('conversations'), 'conversations').map((turn, index) => {
    const name = `conversations[${index}]`
    const { from, value } = object(turn, name)
    const role = typeof from === 'string' && Object.hasOwn(speakers, from) ? speakers[from] : undefined
    if (role === undefined) {
      throw new ColdstartError('E_DATA_ROW', `${name}.from: expected "human", "gpt" or "system", got ${kindOf(from)}`)
    }
    return { role, content: value, name }
  })
}

/** `{problem, answer, images}`: the paper's data, EasyR1. */
function problemShape(row: Taker): RawTurn[] {
  return [{ role: 'user', content: text(row.take('problem'), 'problem'), name: 'problem' }]
}

/** `{query, response, history, system}`: ms-swift. */
function queryShape(row: Taker): RawTurn[] {
  const turns = historyTurns(row.take('history'))
  turns.push({ role: 'user', content: text(row.take('query'), 'query'), name: 'query' })
  return withResponse(turns, row, 'response')
}

/** `{prompt, completion?}`, each a string or messages: TRL. */
function promptShape(row: Taker): RawTurn[] {
  const turn = (column: string, role: Role): RawTurn[] => {
    const value = row.take(column)
    if (value === undefined || value === null) return []
    return typeof value === 'string' ? [{ role, content: value, name: column }] : chatTurns(value, column)
  }
  return [...turn('prompt', 'user'), ...turn('completion', 'assistant')]
}

/** `{instruction, input, output}`: Alpaca. The input follows the instruction on a new line. */
function instructionShape(row: Taker): RawTurn[] {
  const turns = historyTurns(row.take('history'))
  const instruction = text(row.take('instruction'), 'instruction')
  const input = row.take('input')
  const content =
    input === undefined || input === null || input === '' ? instruction : `${instruction}\n${text(input, 'input')}`
  turns.push({ role: 'user', content, name: 'instruction' })
  return withResponse(turns, row, 'output')
}

function chatTurns(value: unknown, column: string): RawTurn[] {
  return list(value, column).map((turn, index) => {
    const name = `${column}[${index}]`
    const { role, content } = object(turn, name)
    if (role !== 'system' && role !== 'user' && role !== 'assistant') {
      throw new ColdstartError(
        'E_DATA_ROW',
        `${name}.role: expected "system", "user" or "assistant", got ${kindOf(role)}`,
      )
    }
    return { role, content, name }
  })
}

function historyTurns(history: unknown): RawTurn[] {
  if (history === undefined || history === null) return []
  return list(history, 'history').flatMap((pair, index): RawTurn[] => {
    const name = `history[${index}]`
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new ColdstartError('E_DATA_ROW', `${name}: expected [query, response], got ${kindOf(pair)}`)
    }
    return [
      { role: 'user', content: text(pair[0], `${name}[0]`), name: `${name}[0]` },
      { role: 'assistant', content: text(pair[1], `${name}[1]`), name: `${name}[1]` },
    ]
  })
}

function withResponse(turns: RawTurn[], row: Taker, column: string): RawTurn[] {
  const response = row.take(column)
  if (response === undefined || response === null) return turns
  return [...turns, { role: 'assistant', content: text(response, column), name: column }]
}

function withSystem(turns: RawTurn[], row: Taker): RawTurn[] {
  const system = row.take('system')
  if (system === undefined || system === null || system === '') return turns
  if (turns[0]?.role === 'system') {
    throw new ColdstartError('E_DATA_ROW', 'two system messages: the column "system" and the first turn')
  }
  return [{ role: 'system', content: text(system, 'system'), name: 'system' }, ...turns]
}

/** Columns are taken out one by one; what nobody took is `extra`. */
class Taker {
  private readonly left: Columns

  constructor(columns: Columns) {
    this.left = new Map(columns)
  }

  has(column: string): boolean {
    const value = this.left.get(column)
    return value !== undefined && value !== null
  }

  take(column: string): unknown {
    const value = this.left.get(column)
    this.left.delete(column)
    return value
  }

  /** An ordinary object. `fromEntries` defines keys rather than assigning them, so `__proto__` is one like any other. */
  rest(): Record<string, unknown> {
    return Object.fromEntries(this.left)
  }
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw new ColdstartError('E_DATA_ROW', `${name}: expected a string, got ${kindOf(value)}`)
}

function list(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new ColdstartError('E_DATA_ROW', `${name}: expected an array, got ${kindOf(value)}`)
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new ColdstartError('E_DATA_ROW', `${name}: expected an object, got ${kindOf(value)}`)
}

/**
 * A gold answer. A number is written out, never with an exponent; one that the reader could not hold, or that has more digits than it
 * holds, would be another answer than the one in the file.
 */
function gold(value: unknown, name: string): string | undefined {
  if (typeof value !== 'number') return scalar(value, name)
  const text = String(value)
  const plain = text.includes('e-') ? value.toFixed(20).replace(/0+$/, '') : text
  if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER && Number(plain) === value) return plain
  throw new ColdstartError('E_DATA_ROW', `${name}: the number is beyond what JSON numbers hold exactly, got ${value}`, {
    hint: 'write it as a string',
  })
}

/** A string, or a number or boolean written as one; null is absent. */
function scalar(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  throw new ColdstartError('E_DATA_ROW', `${name}: expected a string or a number, got ${kindOf(value)}`)
}
