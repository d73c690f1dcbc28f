/** Numbers as people read them. */

/** Seconds as `8 s`, `3 min 20 s` or `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** A count in at most four characters and a unit: `812`, `12.7k`, `3.4M`. */
export function compact(value: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value < 100 * size ? 1 : 0)}${unit}`
  }
  return String(Math.round(value))
}

/** Four significant digits without trailing zeros. */
export function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** A share as a percentage with one digit. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** Bytes in GiB with one digit. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
