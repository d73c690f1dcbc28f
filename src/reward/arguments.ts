// Arguments that are checked before they cross to the native grader, whose own errors name nothing.
import { kindOf } from '../data/images.js'
import { ColdstartError } from '../errors.js'

/** The value if it is a string; `what` names it in the error. */
export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw new ColdstartError('E_USAGE', `${what}: expected a string, got ${kindOf(value)}`)
}

/** The value if it is a string or null; nothing counts as null. */
export function textOrNullOf(value: unknown, what: string): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  throw new ColdstartError('E_USAGE', `${what}: expected a string or null, got ${kindOf(value)}`)
}

/** The value if it is a list. */
export function listOf<T>(value: readonly T[], what: string): readonly T[] {
  if (Array.isArray(value)) return value
  throw new ColdstartError('E_USAGE', `${what}: expected an array, got ${kindOf(value)}`)
}
