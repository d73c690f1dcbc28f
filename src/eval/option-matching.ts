/** The option that a text names, by the rules of VLMEvalKit: letters first, then the wording of an option. */

import { pythonLength, pythonSplit } from './python-text.js'

/** Options by letter, in order. */
export type Options = Readonly<Record<string, string>>

/** What the toolkit itself writes where a call failed. */
const failure = 'Failed to obtain answer via API'

const refusals = [
  "Sorry, I can't help with images of people yet.",
  "I can't process this file.",
  "I'm sorry, but without the image provided",
  'Cannot determine the answer',
]

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Options of a list: the first is A. */
export function lettered(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.slice(0, letters.length).map((text, index) => [letters[index]!, text]))
}

/** The letter that a text names, `Z` for a refusal, null if it names none or several. Linear in the text. */
export function matchOption(text: string, options: Options): string | null {
  return matchLetter(text, options) ?? matchWording(text, options)
}

function matchLetter(text: string, options: Options): string | null {
  if (text.includes(failure)) return null
  if (refusals.some((refusal) => text.includes(refusal))) return 'Z'
  const tokens = pythonSplit(text.replace(/[.()[\],:;!*#{}]/g, ' '))
  const present = new Set(tokens)
  const named = Object.keys(options).filter((letter) => present.has(letter))
  // A letter that is said early may be the article of a sentence.
  if (named.length === 1 && tokens.indexOf(named[0]!) >= tokens.length - 4) return named[0]!
  if (named.length === 0 && present.has('Z')) return 'Z'
  return matchStatement(text, options)
}

/** `answer is **B`: the first such statement decides, in any case, and only for the letters A to D. */
function matchStatement(text: string, options: Options): string | null {
  const letter = /answer\s+is\s+\**([ABCD])/i.exec(text)?.[1]?.toUpperCase()
  return letter !== undefined && Object.hasOwn(options, letter) ? letter : null
}

/** The only option whose text occurs, in a text no longer than twice all options together. */
function matchWording(text: string, options: Options): string | null {
  const lower = text.toLowerCase()
  const total = Object.values(options).reduce((sum, option) => sum + pythonLength(option), 0)
  if (pythonLength(lower) > 2 * total) return null
  const found = Object.entries(options).filter(([, option]) => lower.includes(option.toLowerCase()))
  return found.length === 1 ? found[0]![0] : null
}
