/** Arguments of calls against their schemas: every fault in one error, naming the field, what was expected and what came. */

import type { z } from 'zod'
import { ColdstartError, type ErrorCode } from '../errors.js'
import { keysAt } from './keys.js'
import { advice } from './suggest.js'

/** The value as the schema has it; throws `code` naming every field at fault. `what` is the argument's name. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, what: string, code: ErrorCode): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.flatMap((issue): string[] => {
    const place = named(what, issue.path)
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, issue.path)
      return issue.keys.map((key) => `${place}: unknown key ${key}${advice(key, known)}`)
    }
    return [`${place}: ${expectation(issue.message)}, got ${shown(valueAt(value, issue.path))}`]
  })
  throw new ColdstartError(code, faults.join('; '), { details: { faults } })
}

/** `options.stopIds[2]` */
function named(what: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, key) => name + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), what)
}

/** The schema's sentence from "expected" on, without the type that came: the value itself says more. */
function expectation(message: string): string {
  return message.replace(/^[^:]*: (?=expected )/, '').replace(/, received .*$/, '')
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value)
}

/** Short, and never the content of an object: it may be large or secret. */
function shown(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object'
}
