/**
 * Numbers as Python 3 reads, rounds and prints them. The official scripts compare texts that went through `float`, `int`,
 * `round` and `str`, and JavaScript's `Number`, `toFixed` and `String` differ from these on many inputs.
 */

import { pythonStrip } from './python-text.js'

/** White space to `str.strip`, but not to the readers of numbers. */
const separators = ['\x1c', '\x1d', '\x1e', '\x1f']

/** Python's limit on the digits of an integer read from or printed as text. */
const maxIntegerDigits = 4300

/** `float(text)`; null where Python raises. Underscores between digits, any Unicode digits, `inf` and `nan` are numbers. */
export function pythonFloat(text: string): number | null {
  const plain = asciiNumber(text)
  if (plain === null) return null
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(plain)
  if (special !== null) {
    if (special[2]!.toLowerCase() === 'nan') return Number.NaN
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  // Number() reads a decimal text to the nearest double, as Python does; it only accepts other things besides.
  return /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i.test(plain) ? Number(plain) : null
}

/** `int(text)`; null where Python raises: `1e3` and `3.0` are no integers. */
export function pythonInt(text: string): bigint | null {
  const plain = asciiNumber(text)
  const [, sign, digits] = (plain === null ? null : /^([+-]?)([0-9]+)$/.exec(plain)) ?? []
  if (digits === undefined || digits.length > maxIntegerDigits) return null
  return sign === '-' ? -BigInt(digits) : BigInt(digits)
}

/** `int(value)`, towards zero; null for infinities and NaN. */
export function pythonTrunc(value: number): bigint | null {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : null
}

/** `round(value, digits)` for `digits` from 0: the nearest decimal to the double's exact value, ties to even. */
export function pythonRound(value: number, digits: number): number {
  const scaled = scaledInteger(value, digits)
  if (scaled === null) return value
  const magnitude = Number(`${scaled}e-${digits}`)
  return isNegative(value) ? -magnitude : magnitude
}

/** `str(value)` of a float: shortest text that reads back, `5.0`, an exponent below 1e-4 and from 1e16. */
export function pythonRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  const sign = isNegative(value) ? '-' : ''
  if (!Number.isFinite(value)) return `${sign}inf`
  if (value === 0) return `${sign}0.0`
  const [mantissa = '', exponentText = ''] = Math.abs(value).toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) {
    const power = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${power}`
  }
  const digits = mantissa.replace('.', '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** `'{:.2f}'.format(value)` for 2 `digits`: rounded like {@link pythonRound}, zeros kept. */
export function pythonFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return pythonRepr(value)
  const sign = isNegative(value) ? '-' : ''
  const scaled = String(scaledInteger(value, digits) ?? BigInt(Math.abs(value)) * 10n ** BigInt(digits))
  if (digits === 0) return sign + scaled
  const padded = scaled.padStart(digits + 1, '0')
  return `${sign}${padded.slice(0, -digits)}.${padded.slice(-digits)}`
}

/** `'{:.2%}'.format(value)` for 2 `digits`. */
export function pythonPercent(value: number, digits: number): string {
  return `${pythonFixed(value * 100, digits)}%`
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0)
}

/**
 * |value| · 10^digits, rounded to an integer on the exact binary value, ties to even; null where rounding changes nothing:
 * integers, infinities and NaN.
 */
function scaledInteger(value: number, digits: number): bigint | null {
  if (!Number.isFinite(value) || Number.isInteger(value)) return null
  const bits = new BigUint64Array(new Float64Array([Math.abs(value)]).buffer)[0]!
  const exponent = Number(bits >> 52n)
  const fraction = bits & ((1n << 52n) - 1n)
  // value = mantissa / 2^shift; a value that is no integer has a positive shift.
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n)
  const shift = BigInt(1075 - Math.max(exponent, 1))
  const numerator = mantissa * 10n ** BigInt(digits)
  const quotient = numerator >> shift
  const twiceRest = (numerator - (quotient << shift)) << 1n
  const unit = 1n << shift
  const up = twiceRest > unit || (twiceRest === unit && (quotient & 1n) === 1n)
  return up ? quotient + 1n : quotient
}

/** The text without white space around it, its digits ASCII and its underscores gone; null if one stands between no digits. */
function asciiNumber(text: string): string | null {
  if (separators.some((separator) => text.includes(separator))) return null
  const known = new Map<string, string>()
  const ascii = pythonStrip(text).replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    const value = known.get(digit) ?? String(digitValue(digit.codePointAt(0)!))
    known.set(digit, value)
    return value
  })
  if (!ascii.includes('_')) return ascii
  return /(?<![0-9])_|_(?![0-9])/.test(ascii) ? null : ascii.replaceAll('_', '')
}

/** Decimal digits come in runs of ten from zero, and runs may follow each other. */
function digitValue(codePoint: number): number {
  let start = codePoint
  while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start -= 1
  return (codePoint - start) % 10
}
