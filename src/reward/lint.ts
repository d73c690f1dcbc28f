// Gold answers that would reward nobody, or everybody, found before a run pays for them.
import { listOf, textOrNullOf } from './arguments.js'
import { extractBoxed } from './boxed.js'
import { type GradeOptions, gradeBatch, isValue, type Profile, type Verdict } from './grade.js'

/** What is wrong with a gold answer. */
export type GoldFault = 'missing' | 'empty' | 'none' | 'box' | 'degree' | 'period' | 'size' | 'unread'

/** A gold answer that should be looked at. */
export interface GoldFinding {
  /** Place in the list that was linted, from 0. */
  index: number
  /** Null where there is none. */
  gold: string | null
  fault: GoldFault
  /** The fault as a sentence. */
  message: string
  /** What the gold answer should be, where that is plain to see. */
  suggestion?: string
}

/**
 * Lints gold answers under the rules they will be compared by: at most one finding an answer, in order.
 *
 * | fault | the gold answer |
 * |---|---|
 * | `missing` | is not there: its completions get no accuracy reward |
 * | `empty` | is empty or becomes empty by normalising: an empty answer would be right |
 * | `none` | says `None`, which is a value that was never filled in |
 * | `box` | has a `\boxed{}` in it, which an extracted answer never has |
 * | `degree` | has a degree sign, which `mathruler` compares as a letter: `55°` refuses `55` |
 * | `period` | ends in a full stop, which `mathruler` keeps after letters |
 * | `size` | is too long to be compared as anything but text |
 * | `unread` | is nothing that `lenient` reads: only the same text would be right |
 *
 * ```ts
 * await lintGolds(['55°', '12']) // [{ index: 0, gold: '55°', fault: 'degree', message: …, suggestion: '55' }]
 * ```
 */
export async function lintGolds(
  golds: readonly (string | null | undefined)[],
  { profile = 'mathruler' }: GradeOptions = {},
): Promise<GoldFinding[]> {
  // Every gold answer equals itself under both profiles; what can go wrong is that it equals too much or too little.
  const texts = listOf(golds, 'golds').map((gold, i) => textOrNullOf(gold, `golds[${i}]`))
  const empty = await gradeBatch(
    texts.map((gold) => ({ given: '', gold: gold ?? '' })),
    { profile },
  )
  return texts.flatMap((gold, index): GoldFinding[] => {
    if (gold === null) return [{ index, gold, fault: 'missing', message: messages.missing }]
    const fault = plainFault(gold, profile) ?? faultOf(empty[index] as Verdict) ?? unreadFault(gold, profile)
    if (fault === null) return []
    const better = cleaned(gold, profile)
    const suggestion = better !== '' && better !== gold && fault !== 'none' ? { suggestion: better } : {}
    return [{ index, gold, fault, message: messages[fault], ...suggestion }]
  })
}

const messages: Readonly<Record<GoldFault, string>> = {
  missing: 'no gold answer: its completions get no accuracy reward',
  empty: 'nothing is left of the gold answer when it is normalised: an empty answer would be right',
  none: 'the gold answer says that there is none',
  box: 'the gold answer has a box in it: no extracted answer equals it',
  degree: 'the gold answer has a degree sign: the same number without it would be wrong',
  period: 'the gold answer ends in a full stop: the same answer without it may be wrong',
  size: 'the gold answer is too long to be compared as anything but text',
  unread: 'the gold answer is nothing that can be read as a value: only the same text would be right',
}

/** What can be seen in the text alone. */
function plainFault(gold: string, profile: Profile): GoldFault | null {
  const text = gold.trim()
  if (text === '') return 'empty'
  if (/^none$/i.test(text)) return 'none'
  if (text.includes('\\boxed{')) return 'box'
  if (profile === 'mathruler' && text.includes('°')) return 'degree'
  if (endsInPeriod(text) && profile === 'mathruler') return 'period'
  return null
}

/** What the verdict on an empty answer says about the gold answer. */
function faultOf({ correct, reason }: Verdict): GoldFault | null {
  if (correct) return 'empty'
  return reason === 'size' ? 'size' : null
}

function unreadFault(gold: string, profile: Profile): GoldFault | null {
  return profile === 'lenient' && !isValue(gold) ? 'unread' : null
}

/** The gold answer as it should have been written. */
function cleaned(gold: string, profile: Profile): string {
  let text = extractBoxed(gold) ?? gold.trim()
  if (profile === 'mathruler') {
    text = text.replaceAll('°', '').trim()
    if (endsInPeriod(text)) text = text.slice(0, -1).trimEnd()
  }
  return text
}

/** A full stop, not an ellipsis. */
const endsInPeriod = (text: string): boolean => text.endsWith('.') && !text.endsWith('..')
