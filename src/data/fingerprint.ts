/** A digest of plain data that does not depend on the order of keys. */

import { createHash, type Hash } from 'node:crypto'
import { ColdstartError } from '../errors.js'
import { maxJsonDepth } from './json.js'

/** SHA-256 over bytes and values, fed in order. */
export class Fingerprint {
  private readonly hash: Hash = createHash('sha256')

  /** Adds bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.hash.update(bytes)
  }

  /**
   * Adds a value: null, booleans, numbers, strings, bigints, dates, bytes, arrays and plain objects.
   *
   * @throws ColdstartError `E_DATA_ROW` for anything else, or nesting beyond the limit of files (so also for a cycle).
   */
  value(value: unknown): void {
    this.add(value, 0)
  }

  /** The digest in hex; nothing can be added afterwards. */
  digest(): string {
    return this.hash.digest('hex')
  }

  private add(value: unknown, depth: number): void {
    if (depth > maxJsonDepth) throw new ColdstartError('E_DATA_ROW', `nested deeper than ${maxJsonDepth} levels`)
    if (value instanceof Uint8Array) {
      this.hash.update(`bytes ${value.length}:`).update(value)
    } else if (Array.isArray(value)) {
      this.hash.update(`array ${value.length}:`)
      for (const element of value) this.add(element, depth + 1)
    } else if (value instanceof Date) {
      this.hash.update(`date ${value.getTime()};`)
    } else if (typeof value === 'object' && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype !== Object.prototype && prototype !== null) throw noData(value.constructor.name)
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      this.hash.update(`object ${entries.length}:`)
      for (const [key, element] of entries) {
        this.hash.update(`${key.length}:${key}`)
        this.add(element, depth + 1)
      }
    } else if (typeof value === 'string') {
      this.hash.update(`string ${value.length}:${value}`)
    } else if (typeof value === 'function' || typeof value === 'symbol') {
      throw noData(typeof value)
    } else {
      this.hash.update(`${typeof value} ${String(value)};`)
    }
  }
}

function noData(kind: string): ColdstartError {
  return new ColdstartError('E_DATA_ROW', `a value of type ${kind} is no plain data`)
}
