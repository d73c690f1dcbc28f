/** When two MATH-Vision answers are equal. */

import { native, unwrap } from '../../../native/index.js'
import { pythonRepr, pythonRound } from '../../python-numbers.js'
import { pythonStrip } from '../../python-text.js'

/** Right if it equals the answer or, in multiple choice, the text of the right option. */
export function isRight(gold: string, options: readonly string[], answer: string): boolean {
  if (sameAnswer(gold, answer)) return true
  const option = options['ABCDE'.indexOf(gold)]
  return option !== undefined && sameAnswer(option, answer)
}

/**
 * Equality of the authors: the same text in any case, tuples of the same items, or constants that agree when both are
 * rounded to two decimals. So 1/3 equals 0.333, and all tiny values are equal.
 */
export function sameAnswer(gold: string, answer: string): boolean {
  const [expected, given] = [gold.toLowerCase(), answer.toLowerCase()]
  if (expected.replaceAll(' ', '') === '' || given.replaceAll(' ', '') === '') return false
  if (pythonStrip(expected) === pythonStrip(given)) return true
  const [expectedTuple, givenTuple] = [evaluatedTuple(expected), evaluatedTuple(given)]
  if (expectedTuple === givenTuple) return true
  const [a, b] = [constantOf(expectedTuple), constantOf(givenTuple)]
  return a !== null && b !== null && pythonRound(a, 2) === pythonRound(b, 2)
}

/** Equality of the toolkit: the same text in any case, or constants closer than 1e-6, without rounding. */
export function closeAnswer(gold: string, answer: string): boolean {
  const [expected, given] = [pythonStrip(gold.toLowerCase()), pythonStrip(answer.toLowerCase())]
  if (expected === given) return true
  const [a, b] = [constantOf(expected), constantOf(given)]
  return a !== null && b !== null && Math.abs(a - b) < 1e-6
}

/** A tuple with its items as numbers of two decimals; the text itself if it is none or an item has no value. */
function evaluatedTuple(text: string): string {
  const [open, close] = [text[0], text.at(-1)]
  const isBracketed = (open === '(' && close === ')') || (open === '[' && close === ']')
  const items = isBracketed && text.length <= maxTupleLength ? text.slice(1, -1).split(',') : []
  if (items.length < 2) return text
  const values: string[] = []
  for (const item of items) {
    const value = evaluatedItem(item)
    if (value === null) return text
    values.push(value)
  }
  return open + values.join(',') + close
}

/** The grader's own limit on an answer; longer texts are compared as they are. */
const maxTupleLength = 4096

function evaluatedItem(item: string): string | null {
  if (item.includes('infty') || item === 'a' || item === '-a') return item
  const value = constantOf(item)
  return value === null ? null : pythonRepr(pythonRound(value, 2))
}

/** Value of a constant expression in LaTeX; golds may stand between dollar signs and in a box. */
function constantOf(latex: string): number | null {
  const plain = untilUnopened(latex.replaceAll('$', '').replaceAll('\\boxed', ''))
  if (!isLatexConstant(plain)) return null
  // Their reader stops at a final full stop.
  const value = unwrap(native().constantValue(plain.replace(/\.\s*$/, '')))
  return value !== null && Number.isFinite(value) ? value : null
}

/** What precedes the first brace that closes nothing: extraction may leave the end of a box and what follows it. */
function untilUnopened(text: string): string {
  let depth = 0
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '{') depth += 1
    else if (text[i] === '}' && --depth < 0) return text.slice(0, i)
  }
  return text
}

/**
 * The authors read LaTeX and nothing else: no bare `sqrt(2)` or π, no degree or percent sign, and no word that a zero
 * would make vanish. The letter e remains, for exponents.
 */
function isLatexConstant(text: string): boolean {
  if (/[^\x20-\x7e\s]|%|\\circ|\\degree/.test(text)) return false
  return !/[a-df-z]/i.test(text.replace(/\\[a-z]+/gi, ''))
}
