/** Arguments of calls against their schemas: every fault in one error, naming the field, what was expected and what came. */

import type { z } from 'zod'
import { ColdstartError, type ErrorCode } from '../errors.js'
import { faultOf, shown, valueAt } from './fault.js'
import { keysAt } from './keys.js'
import { advice } from './suggest.js'

/** The value as the schema has it; throws `code` naming every field at fault. `what` is the argument's name. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, what: string, code: ErrorCode): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = faultsOf(schema, parsed.error, value, what)
  throw new ColdstartError(code, faults.join('; '), { details: { faults } })
}

/** What is wrong with the value that `what` names, a sentence a field; empty if nothing is. */
export function faultsIn(schema: z.ZodType, value: unknown, what: string): string[] {
  const { error } = schema.safeParse(value)
  return error === undefined ? [] : faultsOf(schema, error, value, what)
}

function faultsOf(schema: z.ZodType, error: z.ZodError, value: unknown, what: string): string[] {
  return error.issues.flatMap((issue): string[] => {
    const place = named(what, issue.path)
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, issue.path)
      return issue.keys.map((key) => `${place}: unknown key ${key}${advice(key, known)}`)
    }
    return [`${place}: ${faultOf(issue, shown(valueAt(value, issue.path)))}`]
  })
}

/** `options.stopIds[2]` */
function named(what: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, key) => name + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), what)
}
