/** How a value that a schema refuses is told: what was expected, and what came. */

import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** The value that an issue is about. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value)
}

/**
 * `expected number, got "fast"`. A rule of a schema's own that expects nothing else stands as it is.
 *
 * @param came what came, in words
 */
export function faultOf(issue: Issue, came: string): string {
  if (issue.code === 'custom' && !issue.message.startsWith('expected ')) return issue.message
  // Zod's sentence from "expected" on, without the type that came: the value itself says more.
  const expectation = issue.message.replace(/^[^:]*: (?=expected )/, '').replace(/, received .*$/, '')
  return `${expectation}, got ${came}`
}

/** Short, and never the content of an object: it may be large or secret. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    // The query of an address may hold a key.
    const text = value.replace(/\?.+/s, '?…')
    return text.length > 40 ? `${JSON.stringify(text.slice(0, 40))}…` : JSON.stringify(text)
  }
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object'
}
