// Intervals of the study's table, at 95 %.
import { wilson } from '../eval/interval.js'
import type { Accuracy, Interval } from './types.js'

/** What {@link accuracyOver} and {@link gainOver} compute, for readers of study.json. */
export function describeIntervals(seeds: number): string {
  return seeds === 1
    ? '95 %: Wilson interval of the share of right answers; the gain by the paired differences of the answers. One seed: the spread between seeds is not in it.'
    : `95 %: t interval of the ${seeds} seeds' accuracies, and never narrower than the Wilson interval of all answers together; the gain by the t interval of the seeds' differences.`
}

/**
 * Accuracy over seeds with `correct[seed]` right answers of `n` each. One seed: the Wilson interval. Several: the t interval of their
 * accuracies, widened to the Wilson interval of the pooled answers where that is wider, as when all seeds agree by chance.
 */
export function accuracyOver(correct: readonly number[], n: number): Accuracy {
  const perSeed = correct.map((count) => count / n)
  const total = correct.reduce((sum, count) => sum + count, 0)
  const pooled = wilson(total, n * correct.length)
  const [low, high] = correct.length === 1 ? pooled : tInterval(perSeed)
  return {
    accuracy: mean(perSeed),
    n: n * correct.length,
    ci95: [Math.max(0, Math.min(low, pooled[0])), Math.min(1, Math.max(high, pooled[1]))],
    perSeed,
  }
}

/**
 * How much more often `after` is right than `before`: `[seed][question]` verdicts on the same questions. One seed: normal interval of the
 * paired differences; several: t interval of the seeds' differences.
 */
export function gainOver(
  before: readonly (readonly boolean[])[],
  after: readonly (readonly boolean[])[],
): { mean: number; ci95: Interval; perSeed: number[] } {
  const differences = before.map((verdicts, seed) =>
    verdicts.map((right, question) => Number(after[seed]?.[question]) - Number(right)),
  )
  const perSeed = differences.map(mean)
  const ci95 =
    perSeed.length === 1
      ? around(mean(differences[0] ?? []), 1.959963984540054 * standardError(differences[0] ?? []))
      : tInterval(perSeed)
  return { mean: mean(perSeed), ci95, perSeed }
}

/** Student's t interval of the mean of at least two values. */
export function tInterval(values: readonly number[]): Interval {
  return around(mean(values), tQuantile(values.length - 1) * standardError(values))
}

const around = (centre: number, half: number): Interval => [centre - half, centre + half]
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function standardError(values: readonly number[]): number {
  const centre = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}

// 0.975 quantiles of Student's t for 1 … 30 degrees of freedom, from the usual table.
const T975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]

/** Beyond the table the first correction to the normal quantile: within 0.001. */
function tQuantile(freedom: number): number {
  const z = 1.959963984540054
  return T975[freedom - 1] ?? z + (z ** 3 + z) / (4 * freedom)
}
