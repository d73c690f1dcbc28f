// How long to wait before asking an endpoint again.
import { randomInt } from 'node:crypto'

/** Bounds of the waits between tries, in milliseconds. */
export interface BackoffOptions {
  /** Wait after the first failure; it doubles with each further one. */
  retryDelayMs: number
  /** Longest wait, also for what the server asks for. */
  maxDelayMs: number
}

/**
 * Milliseconds before the next try, after `failures` (from 1) failed ones. The second half of the wait is random, so that calls which
 * failed together do not return together. It comes from `crypto`, not from a run's seed: it moves when a call happens, never what it says.
 */
export function backoffMs(failures: number, { retryDelayMs, maxDelayMs }: BackoffOptions): number {
  const longest = Math.min(maxDelayMs, retryDelayMs * 2 ** (failures - 1))
  return (longest / 2) * (1 + randomInt(1_000_001) / 1e6)
}

/** A `Retry-After` header (whole seconds or an HTTP date) in milliseconds from `now`; nothing if it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Date.parse alone would take "1 apple" for a date.
  if (!/^[A-Z][a-z]+, .* GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
