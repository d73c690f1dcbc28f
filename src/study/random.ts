// Random numbers of the study's data: one stream a purpose, so that adding a data set never changes another.
import { createHash } from 'node:crypto'

/** A stream of numbers fixed by its seed and purpose. */
export interface Random {
  /** An integer in 0 … n − 1. */
  below(n: number): number
  /** An integer in low … high. */
  between(low: number, high: number): number
  /** True with probability p. */
  chance(p: number): boolean
}

/** sfc32 (Chris Doty-Humphrey), its state drawn from the hash of seed and purpose. */
export function random(seed: number, purpose: string): Random {
  const state = createHash('sha256').update(`${purpose}:${seed}`).digest()
  let a = state.readInt32LE(0)
  let b = state.readInt32LE(4)
  let c = state.readInt32LE(8)
  let counter = state.readInt32LE(12)
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return { below, between: (low, high) => low + below(high - low + 1), chance: (p) => next() < p }
}

/** 0 … n − 1 in random order (Fisher–Yates). */
export function permutation(n: number, source: Random): number[] {
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = source.below(i + 1)
    ;[order[i], order[j]] = [order[j] as number, order[i] as number]
  }
  return order
}
