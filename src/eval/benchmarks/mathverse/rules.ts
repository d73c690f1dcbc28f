/** MathVerse without a judge: its gold answers are prose, `Area $=9 \pi \mathrm{cm}^{2}$`, and need cleaning. */

import type { Options } from '../../option-matching.js'
import type { BenchmarkRow } from '../../types.js'
import { lenientlyEqual, type RulesTask } from '../rules.js'
import { mathverseFields } from './data.js'

export function mathverseRules(row: BenchmarkRow): RulesTask {
  const { question_type, question_for_eval } = mathverseFields(row)
  if (question_type === 'free-form') return { gold: row.gold, same: sameProse }
  const options = listedOptions(question_for_eval)
  const letters = row.gold.replace(/[^A-Z]/g, '')
  if (letters.length !== 1 || !Object.hasOwn(options, letters)) return { gold: row.gold, same: sameProse }
  return { gold: letters, options }
}

/** Equal as texts, or as values once names, units and bearings are off. */
export function sameProse(given: string, gold: string): boolean {
  return squeezed(given) === squeezed(gold) || lenientlyEqual(unworded(given), unworded(gold))
}

/** Options on lines `A:40°` after `Choices:`. */
export function listedOptions(question: string): Options {
  const start = question.lastIndexOf('Choices:')
  if (start < 0) return {}
  const lines = question.slice(start).split('\n')
  const marked = lines.flatMap((line): [string, string][] => {
    const [, letter, text] = /^\s*\(?([A-H])\)?[:.](.*)$/.exec(line) ?? []
    return letter === undefined ? [] : [[letter, text!.trim()]]
  })
  return Object.fromEntries(marked)
}

/** A degree sign in a wrong encoding, in LaTeX or in Unicode. */
const degrees = /\u63b3|°|\^\s*(?:\{\s*\\circ\s*\}|\\circ)/g
/** Bearings are written `118°T`, or `270 ^\circ T`. */
const bearing = /(\u63b3|°|\\circ(?:\s*\})?)\s*T(?![A-Za-z])/g

/** Letters, digits and signs alone, in lower case. */
function squeezed(text: string): string {
  return text
    .replace(bearing, '$1')
    .replace(degrees, '')
    .replace(/\\(?:text|mathrm|left|right)(?![A-Za-z])|\\[ ,;:!]|[\s$]/g, '')
    .replace(/[{}]/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}

/** The value behind a leading name (`Area =`, `x =`), without degree signs and the `T` of bearings. */
function unworded(text: string): string {
  const value = text.replace(bearing, '$1').replace(degrees, '')
  const sign = value.indexOf('=')
  const isNamed = sign >= 0 && sign === value.lastIndexOf('=') && /^[A-Za-z\s$]*$/.test(value.slice(0, sign))
  const kept = isNamed ? value.slice(sign + 1) : value
  // The sign may stand inside the dollars that open before the name.
  return kept.replaceAll('$', '').trim()
}
