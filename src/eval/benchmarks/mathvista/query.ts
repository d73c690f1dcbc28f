/** MathVista's query: the text that the published column `query` holds. */

import { lettered } from '../../option-matching.js'
import { pythonStrip } from '../../python-text.js'
import type { MathVistaFields } from './fields.js'

const choiceHint = 'Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.'

function valueHint(kind: string, what: string, examples: string): string {
  return `Please answer the question requiring ${kind} and provide the final ${what}, e.g., ${examples}, at the end.`
}

function hintOf({ question_type, answer_type, precision }: Omit<MathVistaFields, 'query'>): string {
  if (question_type === 'multi_choice') return choiceHint
  if (answer_type === 'integer') return valueHint('an integer answer', 'value', '1, 2, 3')
  if (answer_type === 'list') return valueHint('a Python list as an answer', 'list', '[1, 2, 3], [1.2, 1.3, 1.4]')
  return precision === 1
    ? valueHint('a floating-point number with one decimal place', 'value', '1.2, 1.3, 1.4')
    : valueHint('a floating-point number with two decimal places', 'value', '1.23, 1.34, 1.45')
}

/** A hint, the question with its unit, and the choices one a line; no white space at the end. */
export function buildQuery(fields: Omit<MathVistaFields, 'query'>): string {
  const { question, unit, choices } = fields
  const lines = [`Hint: ${hintOf(fields)}`, `Question: ${question}${unit === '' ? '' : ` (Unit: ${unit})`}`]
  if (choices.length > 0) {
    lines.push('Choices:', ...Object.entries(lettered(choices)).map(([letter, choice]) => `(${letter}) ${choice}`))
  }
  return pythonStrip(lines.join('\n'))
}
