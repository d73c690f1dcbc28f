import { expect, it } from 'vitest'
import { backoffMs, retryAfterMs } from '../../src/eval/judge/backoff.js'

const NOW = Date.UTC(2026, 10, 24, 12, 0, 0)

it.each([
  ['0', 0],
  ['120', 120_000],
  [' 3 ', 3000],
  ['Tue, 24 Nov 2026 12:00:07 GMT', 7000],
  ['Tuesday, 24-Nov-26 12:00:07 GMT', 7000],
  ['Tue, 24 Nov 2026 11:59:00 GMT', 0],
])('Retry-After %j is %d ms', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms)
})

it.each([undefined, '', '-1', '1.5', 'soon', '1 apple', '2026-11-24', 'Tue, 99 Nov 2026 12:00:00 GMT'])(
  'Retry-After %j says nothing',
  (header) => {
    expect(retryAfterMs(header, NOW)).toBeUndefined()
  },
)

it('waits double up to the longest, and vary in their second half', () => {
  const options = { retryDelayMs: 100, maxDelayMs: 1000 }
  for (const [failures, longest] of [100, 200, 400, 800, 1000, 1000].entries()) {
    const waits = Array.from({ length: 50 }, () => backoffMs(failures + 1, options))
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(longest / 2)
      expect(wait).toBeLessThanOrEqual(longest)
    }
    expect(new Set(waits).size).toBeGreaterThan(1)
  }
})

it('a thousandth failure waits no longer than the longest', () => {
  expect(backoffMs(1000, { retryDelayMs: 1000, maxDelayMs: 60_000 })).toBeLessThanOrEqual(60_000)
})
