// The order in which rows are visited: a seeded permutation an epoch, found again from one number.
import { native, unwrap } from '../native/index.js'

/** Endless walk over `length` rows. The cursor counts rows taken since the beginning and is all there is to save. */
export class RowOrder {
  readonly #length: number
  readonly #seed: number
  #cursor = 0
  #epoch = -1
  #permutation: Uint32Array = new Uint32Array()

  constructor(length: number, seed: number) {
    this.#length = length
    this.#seed = seed
  }

  get cursor(): number {
    return this.#cursor
  }

  set cursor(value: number) {
    this.#cursor = value
  }

  /** Passes over the data so far, with the fraction of the present one. */
  get epoch(): number {
    return this.#cursor / this.#length
  }

  /** The next row index. */
  next(): number {
    const epoch = Math.floor(this.#cursor / this.#length)
    if (epoch !== this.#epoch) {
      this.#permutation = unwrap(native().permutation(this.#seed, epoch, this.#length))
      this.#epoch = epoch
    }
    return this.#permutation[this.#cursor++ % this.#length] as number
  }
}
