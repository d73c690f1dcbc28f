/** From a response to a value of the form that MathVista publishes, by the benchmark's own rules. */

import { mostSimilar } from '../../levenshtein.js'
import { lettered } from '../../option-matching.js'
import { pythonFloat, pythonInt, pythonRepr, pythonRound, pythonTrunc } from '../../python-numbers.js'
import { pythonStrip } from '../../python-text.js'
import type { ProtocolOptions } from '../../types.js'
import type { MathVistaFields } from './fields.js'

/** The columns that decide how an answer is read. */
export type AnswerForm = Pick<MathVistaFields, 'question_type' | 'answer_type' | 'choices' | 'precision'>

/** The answer of a response that needs no judge to be found; null: ask one. */
export function shortcut(response: string, form: AnswerForm, quick: boolean): string | null {
  if (response === '') return ''
  if (form.question_type === 'multi_choice' && form.choices.includes(response)) return response
  if (form.answer_type === 'integer') {
    const value = pythonInt(response)
    if (value !== null) return String(value)
  }
  if (form.answer_type === 'float') {
    const value = pythonFloat(response)
    if (value !== null) return pythonRepr(value)
  }
  return quick ? quoted(response) : null
}

/** From the first `The answer is "` that has a `".` behind it on its line, up to the last one there. */
function quoted(response: string): string | null {
  const open = 'The answer is "'
  for (const line of response.split('\n')) {
    const start = line.indexOf(open)
    const end = line.lastIndexOf('".')
    if (start >= 0 && end >= start + open.length) return line.slice(start + open.length, end)
  }
  return null
}

/**
 * The extraction in the form of a published answer: a choice's text, `3`, `2.67`, a list's text; null if it has none.
 *
 * Without `ignoreEmpty` an empty extraction becomes the shortest choice, because that is the most similar one.
 */
export function normalise(
  extraction: string,
  form: AnswerForm,
  options: Pick<ProtocolOptions, 'ignoreEmpty' | 'legacyInt'>,
): string | null {
  if (form.question_type === 'multi_choice') return choiceOf(extraction, form.choices, options.ignoreEmpty === true)
  if (form.answer_type === 'integer') return integerOf(extraction, options.legacyInt === true)
  if (form.answer_type === 'float') return floatOf(extraction, form.precision)
  return form.answer_type === 'list' ? extraction : null
}

function choiceOf(extraction: string, choices: readonly string[], ignoreEmpty: boolean): string | null {
  const text = pythonStrip(extraction)
  if (text === '' && ignoreEmpty) return null
  const letter = /\(([A-Za-z])\)/.exec(text)?.[1]?.toUpperCase() ?? text
  const byLetter = lettered(choices)
  return Object.hasOwn(byLetter, letter) ? byLetter[letter]! : mostSimilar(letter, choices)
}

function integerOf(extraction: string, legacy: boolean): string | null {
  const value = legacy ? pythonInt(extraction) : truncated(pythonFloat(extraction))
  return value === null ? null : String(value)
}

function truncated(value: number | null): bigint | null {
  return value === null ? null : pythonTrunc(value)
}

function floatOf(extraction: string, precision: number | null): string | null {
  const value = pythonFloat(extraction)
  return value === null || precision === null ? null : pythonRepr(pythonRound(value, precision))
}
