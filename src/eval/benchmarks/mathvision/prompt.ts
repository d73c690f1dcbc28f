/** MATH-Vision's questions in the wording of each preset. */

import { lettered } from '../../option-matching.js'
import type { MathVisionFields } from './data.js'

/** The space before the line break is the authors'. */
const instruction =
  'Please first solve the problem step by step, then put your final answer or a single letter (if it is a multiple choice question) in one "\\boxed{}". \n'

function optionLines(options: readonly string[]): string[] {
  return Object.entries(lettered(options)).map(([letter, option]) => `(${letter}) ${option}`)
}

/** Instruction, question, options, each on lines of its own, and a line break at the end. */
export function officialText({ question, options }: MathVisionFields): string {
  return `${instruction}${question}\n${optionLines(options)
    .map((line) => `${line}\n`)
    .join('')}`
}

/** Question and options. */
export function paperText({ question, options }: MathVisionFields): string {
  return [question, ...optionLines(options)].join('\n')
}

/** The question as the toolkit's own data file holds it, in the manner of MathVista's queries. */
export function toolkitText({ question, options }: MathVisionFields): string {
  const what = options.length > 0 ? 'correct option letter, e.g., A, B, C, D,' : 'final answer'
  const lines = [`Hint: Please answer the question and provide the ${what} at the end.`, `Question: ${question}`]
  if (options.length > 0) lines.push('Choices:', ...optionLines(options))
  return lines.join('\n')
}
