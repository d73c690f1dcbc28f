// Intervals for a share of right answers.

const Z95 = 1.959963984540054

/**
 * Wilson score interval at 95 % for `correct` of `n`. `[0, 1]` when `n` is 0.
 * Unlike the normal approximation it stays inside [0, 1] and has width at 0 and at `n` right answers.
 */
export function wilson(correct: number, n: number): [low: number, high: number] {
  if (n === 0) return [0, 1]
  const p = correct / n
  const z2 = Z95 * Z95
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n)
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))
  // Exact at the ends, where rounding would leave a trace.
  return [correct === 0 ? 0 : Math.max(0, centre - half), correct === n ? 1 : Math.min(1, centre + half)]
}
