// The questions and answers of the study, as text in its small vocabulary: every word, digit and sign apart.
import type { Random } from './random.js'

/** A question with its answer: a whole response where a model is taught, the bare gold where it is rewarded or judged. */
export interface Problem {
  problem: string
  answer: string
}

/** What the base model is taught about images: to read them. Never to add. */
const READ = 'read the digits ?'
/** What the arms are about. */
const SUM = 'what is the sum ?'

/** `2 8 7` for 287. */
export const spaced = (value: number): string => [...String(value)].join(' ')
const list = (digits: readonly number[]): string => digits.join(' , ')
const total = (digits: readonly number[]): number => digits.reduce((sum, digit) => sum + digit, 0)

/** The running sum: `2 + 8 = 1 0 ; 1 0 + 7 = 1 7 ;`. */
export function chain(digits: readonly number[]): string {
  const steps: string[] = []
  let sum = digits[0] ?? 0
  for (const digit of digits.slice(1)) {
    steps.push(`${spaced(sum)} + ${digit} = ${spaced(sum + digit)} ;`)
    sum += digit
  }
  return steps.join(' ')
}

/** Reading an image. */
export const reading = (digits: readonly number[]): Problem => ({ problem: READ, answer: digits.join(' ') })

/** The sum of an image with only the gold, without spaces: `17`. */
export const sum = (digits: readonly number[]): Problem => ({ problem: SUM, answer: String(total(digits)) })

/** The sum of an image with a chain of thought that ends in the boxed answer. */
export const reasonedSum = (digits: readonly number[]): Problem => ({
  problem: SUM,
  answer: `the digits are ${list(digits)} . ${chain(digits)} \\boxed{ ${spaced(total(digits))} }`,
})

/** Arithmetic without an image, in the notation of the chains. Without it the base model gives reinforcement learning nothing to reward. */
export function arithmetic(source: Random): Problem {
  if (source.chance(0.6)) {
    const digits = Array.from({ length: source.between(2, 4) }, () => source.below(10))
    return { problem: `count ${list(digits)}`, answer: chain(digits) }
  }
  const [x, y] = [source.between(0, 30), source.below(10)]
  return { problem: `${spaced(x)} + ${y} =`, answer: spaced(x + y) }
}
