/** The answer of a MATH-Vision response by the authors' string rules. Every step is one pass over the text. */

import { native, unwrap } from '../../../native/index.js'
import { pythonFloat } from '../../python-numbers.js'
import { afterLast, beforeFirst, pythonStrip } from '../../python-text.js'

const statements = ['the final answer is', 'the answer is', 'the correct answer is', 'the answer should be']

export function extractAnswer(response: string): string {
  let answer = pythonStrip(response)
  for (const letter of 'ABCDE') {
    if (isLetterAlone(answer, letter)) answer = letter
  }
  const value = trimEnd(afterLast(answer, 'is '), '.')
  if (pythonFloat(value) !== null) answer = value
  if (!answer.includes('oxed{')) answer = stated(answer)
  else if (answer.indexOf('oxed{') !== answer.lastIndexOf('oxed{')) answer = `\\boxed{${afterLast(answer, 'oxed{')}`
  return bare(clean(answer))
}

function isLetterAlone(text: string, letter: string): boolean {
  return (
    text.endsWith(` ${letter}.`) ||
    text.endsWith(` (${letter}).`) ||
    text.startsWith(`${letter}\n`) ||
    text.startsWith(`(${letter})\n`) ||
    text.startsWith(`(${letter}) ${letter}\n`)
  )
}

/** What follows the statements, each one applied to what the one before left. */
function stated(text: string): string {
  let answer = text
  for (const statement of statements.flatMap((lower) => [lower, lower.replace('the', 'The')])) {
    const isThere = answer.includes(statement)
    answer = pythonStrip(afterLast(answer, statement))
    if (isThere) answer = beforeFirst(beforeFirst(answer, '\n'), '. ')
  }
  return answer
}

/** Texts that are deleted, in this order. */
const deleted = ['\\left', '\\right', '^{\\circ}', '^\\circ', '{m}^3', 'm^3', '{units}', 'units', '{km}', 'km']

function clean(text: string): string {
  let answer = boxContent(text.toLowerCase().replaceAll('{}', ''))
  const close = answer.indexOf('}')
  const open = answer.indexOf('{')
  if (close >= 0 && (open < 0 || close < open)) answer = answer.slice(0, close)
  answer = afterLast(afterLast(answer, '='), '\\approx')
  answer = answer.replaceAll(' ', '').replaceAll('\\,', '').replaceAll('∞', '\\infty')
  answer = answer.replaceAll('+\\infty', '\\infty').replaceAll('\\\\', '\\').replaceAll('\n', '')
  answer = answer.replaceAll('\\text', '').replaceAll('\\mbox', '').replaceAll('bmatrix', 'pmatrix')
  for (const text of deleted) answer = answer.replaceAll(text, '')
  return unwrap(native().mathvisionStringForm(answer))
}

/** From behind the first `oxed{` to the last brace; all of the text where these do not follow each other. */
function boxContent(text: string): string {
  const start = text.indexOf('oxed{')
  const end = text.lastIndexOf('}')
  return start >= 0 && end >= start + 5 ? text.slice(start + 5, end) : text
}

/** Without brackets around option letters, and without the stop after and the colon before. */
function bare(text: string): string {
  const unbracketed = text.replace(/\(([a-e])\)/g, '$1').replace(/\{([a-e])\}/g, '$1')
  return pythonStrip(trimStart(trimEnd(unbracketed, '.'), ':'))
}

function trimEnd(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === character) end -= 1
  return text.slice(0, end)
}

function trimStart(text: string, character: string): string {
  let start = 0
  while (text[start] === character) start += 1
  return text.slice(start)
}
