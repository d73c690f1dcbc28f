// Numbers as people read them.

/** `87.3 %`, with a space that no line breaks at. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}\u00a0%`

/** `+12.3` percentage points. */
export const points = (difference: number): string =>
  `${difference < 0 ? '−' : '+'}${Math.abs(100 * difference).toFixed(1)}`

/** `1,234,567`. */
export const integer = (value: number): string => Math.round(value).toLocaleString('en-US')

/** `42 s`, `5 min 12 s`, `2 h 03 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
}

/** Four significant digits, without an exponent where that is readable. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size >= 1e5 || Number.isInteger(value)) return integer(value)
  if (size > 0 && size < 1e-3) return value.toExponential(2).replace(/\.?0*e-/, 'e−')
  return String(Number(value.toPrecision(4)))
}

const pad = (value: number): string => String(value).padStart(2, '0')
