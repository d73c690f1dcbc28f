/** Edit distance, exact and fast enough for a response of any length. */

/**
 * Insertions, deletions and substitutions of code points that turn one text into the other.
 *
 * 32 cells of a column are one step (Myers 1999, blocks as in Hyyrö 2003): a text of 2^20 code points against a choice of
 * 100 takes some tens of milliseconds, so nothing has to be cut off.
 */
export function levenshtein(a: string, b: string): number {
  const [short, long] = byLength(codePoints(a), codePoints(b))
  if (short.length === 0) return long.length
  const blocks = Math.ceil(short.length / 32)
  const lastBit = (short.length - 1) & 31
  const places = placesOf(short, blocks)
  const none = new Int32Array(blocks)
  // Bit i: the cell of row i is one more (plus) or one less (minus) than the one above it.
  const plus = new Int32Array(blocks).fill(-1)
  const minus = new Int32Array(blocks)
  let distance = short.length
  for (const point of long) {
    const equals = places.get(point) ?? none
    // Difference to the column before, at the row above the block; the top row grows by one a column.
    let carry = 1
    for (let block = 0; block < blocks; block += 1) {
      const up = plus[block]!
      const down = minus[block]!
      const equal = equals[block]!
      const vertical = equal | down
      const matched = equal | (carry < 0 ? 1 : 0)
      const diagonal = (((matched & up) + up) ^ up) | matched
      let increase = down | ~(diagonal | up)
      let decrease = up & diagonal
      const top = block === blocks - 1 ? lastBit : 31
      const out = ((increase >>> top) & 1) - ((decrease >>> top) & 1)
      increase = (increase << 1) | (carry > 0 ? 1 : 0)
      decrease = (decrease << 1) | (carry < 0 ? 1 : 0)
      plus[block] = decrease | ~(vertical | increase)
      minus[block] = increase & vertical
      carry = out
    }
    distance += carry
  }
  return distance
}

/** The most similar of `choices`, the first of equals; null if there are none. */
export function mostSimilar(text: string, choices: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const choice of choices) {
    const distance = levenshtein(text, choice)
    if (distance >= bestDistance) continue
    best = choice
    bestDistance = distance
  }
  return best
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!)
}

function byLength(a: number[], b: number[]): [short: number[], long: number[]] {
  return a.length <= b.length ? [a, b] : [b, a]
}

/** For each code point the rows it stands in, a bit each. */
function placesOf(points: readonly number[], blocks: number): Map<number, Int32Array> {
  const places = new Map<number, Int32Array>()
  for (const [row, point] of points.entries()) {
    const bits = places.get(point) ?? new Int32Array(blocks)
    bits[row >> 5]! |= 1 << (row & 31)
    places.set(point, bits)
  }
  return places
}
