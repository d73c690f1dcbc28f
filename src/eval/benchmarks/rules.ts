/**
 * Verdicts without a judge: `--judge rules`. The final answer of a response is compared by the lenient grader, or matched
 * with the options. Reports call the result by this name, because it is no protocol's own.
 */

import { extractBoxed } from '../../reward/boxed.js'
import { grade } from '../../reward/grade.js'
import { matchOption, type Options } from '../option-matching.js'
import type { Scored } from '../types.js'

/** What an answer is held against. */
export interface RulesTask {
  /** The answer, or the right letter where there are options. */
  gold: string
  options?: Options
  /** Equality of an answer without options. Default: the lenient grader's. */
  same?: (given: string, gold: string) => boolean
}

/** Scores a response by rules alone. */
export function scoreByRules(response: string, task: RulesTask): Scored {
  const given = finalAnswer(response)
  if (given === null) return { extraction: null, correct: false, path: 'rules:nothing', calls: 0 }
  const { gold, options, same = lenientlyEqual } = task
  if (options === undefined) {
    return { extraction: given, correct: same(given, gold), path: 'rules:lenient', calls: 0 }
  }
  return { extraction: given, correct: optionOf(given, options) === gold, path: 'rules:option', calls: 0 }
}

/** Equality under the profile `lenient`. */
export function lenientlyEqual(given: string, gold: string): boolean {
  return grade(given, gold, { profile: 'lenient' }).correct
}

/** A letter alone, else the only option of that value, else the toolkit's matching. */
function optionOf(given: string, options: Options): string | null {
  const letter = /^[^0-9A-Za-z]*([A-Z])[^0-9A-Za-z]*$/.exec(given.replace(/\\text(?:bf)?|\\mathrm/g, ''))?.[1]
  if (letter !== undefined && Object.hasOwn(options, letter)) return letter
  const equal = Object.keys(options).filter((key) => lenientlyEqual(given, options[key]!))
  return equal.length === 1 ? equal[0]! : matchOption(given, options)
}

/**
 * The last box; without one the last `<answer>`, else what follows the last `answer is` or `answer:` on its line, else the
 * last line with anything on it. Null for a response of white space, and for a last box that never closes.
 */
export function finalAnswer(response: string): string | null {
  if (response.includes('\\boxed{')) return extractBoxed(response)
  return trimmed(taggedAnswer(response) ?? statedAnswer(response) ?? lastLine(response))
}

function taggedAnswer(response: string): string | null {
  const start = response.lastIndexOf('<answer>')
  if (start < 0) return null
  const end = response.indexOf('</answer>', start)
  return response.slice(start + '<answer>'.length, end < 0 ? undefined : end)
}

function statedAnswer(response: string): string | null {
  let start = -1
  for (const { index, 0: text } of response.matchAll(/answer(?: is|\**:)/gi)) start = index + text.length
  if (start < 0) return null
  const end = response.indexOf('\n', start)
  const stated = response.slice(start, end < 0 ? undefined : end)
  return trimmed(stated) === null ? null : stated
}

function lastLine(response: string): string {
  return response.trimEnd().split('\n').at(-1) ?? ''
}

/** Without white space, emphasis, a colon before and a full stop after; null if nothing is left. */
function trimmed(text: string): string | null {
  let start = 0
  let end = text.length
  while (start < end && ' \t\r\n*:'.includes(text[start]!)) start += 1
  while (end > start && ' \t\r\n*.'.includes(text[end - 1]!)) end -= 1
  return start === end ? null : text.slice(start, end)
}
