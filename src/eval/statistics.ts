/** Statistics of paired verdicts: two runs over the same rows. */

/** How two runs differ on the same rows. */
export interface PairedResult {
  /** Rows. */
  n: number
  /** Rows that both, only the first, only the second, or neither got right. */
  both: number
  onlyA: number
  onlyB: number
  neither: number
  /** Share of right answers of the second less that of the first. */
  difference: number
  /** 95 % interval of the difference: percentiles of a paired bootstrap. */
  ci95: [low: number, high: number]
  /** Exact McNemar test, two-sided: how likely so uneven a split of the differing rows is, if both are equally good. */
  pValue: number
}

/** Resamples of the bootstrap: enough that another seed moves the ends of the interval by about 1 % of its width. */
const resamples = 10_000

/**
 * Compares the verdicts of two runs on the same rows, in the same order.
 *
 * @param seed of the bootstrap: the same seed gives the same interval.
 */
export function comparePaired(a: readonly boolean[], b: readonly boolean[], seed = 0): PairedResult {
  const n = a.length
  const count = (inA: boolean, inB: boolean) => a.filter((right, row) => right === inA && b[row] === inB).length
  const onlyA = count(true, false)
  const onlyB = count(false, true)
  return {
    n,
    both: count(true, true),
    onlyA,
    onlyB,
    neither: count(false, false),
    difference: n === 0 ? 0 : (onlyB - onlyA) / n,
    ci95: pairedBootstrap(
      a.map((right, row) => Number(b[row]) - Number(right)),
      seed,
    ),
    pValue: mcNemar(onlyA, onlyB),
  }
}

/**
 * Two-sided p value of McNemar's exact test: of `onlyA + onlyB` rows on which the runs differ, each is as likely to favour
 * one run as the other.
 *
 *     p = min(1, 2 · Σ_{k ≤ min(onlyA, onlyB)} C(n, k) / 2ⁿ),  n = onlyA + onlyB
 */
export function mcNemar(onlyA: number, onlyB: number): number {
  const n = onlyA + onlyB
  // In logarithms: 2ⁿ overflows a double from n = 1024 on.
  let logTerm = -n * Math.LN2
  let tail = Math.exp(logTerm)
  for (let k = 1; k <= Math.min(onlyA, onlyB); k += 1) {
    logTerm += Math.log((n - k + 1) / k)
    tail += Math.exp(logTerm)
  }
  return Math.min(1, 2 * tail)
}

/** 2.5 % and 97.5 % percentiles of the mean over resamples of `values`, drawn with replacement. `[0, 0]` for no values. */
export function pairedBootstrap(values: readonly number[], seed = 0): [low: number, high: number] {
  const n = values.length
  if (n === 0) return [0, 0]
  const means = new Float64Array(resamples)
  for (let sample = 0; sample < resamples; sample += 1) {
    const key = mixed(seed ^ mixed(sample + 1))
    let sum = 0
    for (let draw = 0; draw < n; draw += 1) sum += values[index(key, draw, n)] as number
    means[sample] = sum / n
  }
  means.sort()
  const at = (share: number) => means[Math.round(share * (resamples - 1))] as number
  return [at(0.025), at(0.975)]
}

/** A row number in 0 … n − 1 that depends on nothing but its counter: there is no generator whose state could be shared. */
function index(key: number, counter: number, n: number): number {
  return Math.floor((mixed(key + Math.imul(counter, 0x9e3779b9)) / 2 ** 32) * n)
}

/** A permutation of the 32-bit integers in which every input bit moves every output bit (lowbias32, Chris Wellons). */
function mixed(value: number): number {
  let x = value >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}
