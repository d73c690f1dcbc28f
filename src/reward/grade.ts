// Verdicts of the native grader: whether an answer equals a gold answer.
import { kindOf } from '../data/images.js'
import { ColdstartError } from '../errors.js'
import { call, native, unwrap } from '../native/index.js'
import { listOf, textOf, textOrNullOf } from './arguments.js'

/**
 * Which rules decide. `mathruler` gives the verdicts of the Python package mathruler 0.1.0, which the paper's reward calls;
 * `lenient` is mathematical equality: sets, intervals, relations, percent, units.
 */
export type Profile = 'mathruler' | 'lenient'

/** A decision and how it came about. */
export interface Verdict {
  /** Whether the answer counts. */
  correct: boolean
  /**
   * `string`, `normalised`: the texts agree as they are or after rewriting; `exact`, `numeric`: the values agree, found by
   * exact arithmetic or at random points; `unequal`; `refused`: a limit was reached, see `reason`; `none`: no answer given.
   */
  path: 'string' | 'normalised' | 'exact' | 'numeric' | 'unequal' | 'refused' | 'none'
  /**
   * With `refused`, the limit: `size` (length, nodes or depth), `big` (size of a number), `symbols` or `steps`. `panic` is a
   * fault of the grader and says nothing about the answer.
   */
  reason?: 'size' | 'big' | 'symbols' | 'steps' | 'panic'
  /** Steps taken. They depend on the two texts and the profile alone, never on speed or load. */
  steps: number
}

/** How to grade. */
export interface GradeOptions {
  /** Default `mathruler`. */
  profile?: Profile | undefined
}

/** An answer and the gold answer it is held against. */
export interface GradeItem {
  /** Null where nothing was found in the response: never correct. */
  given: string | null
  gold: string
}

/**
 * Decides whether the answer `given` equals `gold`. Both are LaTeX or plain text without a box around them; take the answer
 * of a response with {@link extractBoxed} first. Synchronous, because it is bounded: at most a few milliseconds a pair.
 * Not symmetric under `lenient`. A lone surrogate counts as U+FFFD.
 *
 * ```ts
 * grade('2\\sqrt{3}', '\\frac{6}{\\sqrt{3}}') // { correct: true, path: 'exact', steps: … }
 * grade(null, '7')                            // { correct: false, path: 'none', steps: 0 }
 * ```
 *
 * @throws ColdstartError `E_CONFIG` for an unknown profile, `E_USAGE` for what is no text.
 */
export function grade(given: string | null, gold: string, options: GradeOptions = {}): Verdict {
  const [answer, expected] = [textOrNullOf(given, 'given'), textOf(gold, 'gold')]
  return unwrap(native().gradeAnswer(answer, expected, profileOf(options))) as Verdict
}

/**
 * The verdict of every pair, in order, found on threads of their own: JavaScript goes on meanwhile. The same verdicts as
 * {@link grade}, whatever the number of threads.
 *
 * @throws ColdstartError `E_CONFIG` for an unknown profile, `E_USAGE` for what is no text, with its row.
 */
export async function gradeBatch(items: readonly GradeItem[], options: GradeOptions = {}): Promise<Verdict[]> {
  const rows = listOf<Partial<GradeItem> | null | undefined>(items, 'items')
  const givens = rows.map((row, i) => textOrNullOf(row?.given, `items[${i}].given`))
  const golds = rows.map((row, i) => textOf(row?.gold, `items[${i}].gold`))
  return (await call(native().gradeAnswers(givens, golds, profileOf(options)))) as Verdict[]
}

/** Whether `lenient` reads the text as a value. What it does not read equals only the same text. */
export function isValue(text: string): boolean {
  return unwrap(native().isValue(textOf(text, 'text')))
}

/** Which names there are is for the grader to say. */
function profileOf({ profile = 'mathruler' }: GradeOptions): string {
  if (typeof profile === 'string') return profile
  throw new ColdstartError('E_CONFIG', `profile: expected mathruler or lenient, got ${kindOf(profile)}`)
}
