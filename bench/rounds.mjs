// Interleaved timing: ours, peer, ours, peer, …

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/**
 * Runs `ours` and `theirs` (each resolves to seconds) in turn, after two warm-ups each (the first steps of a large model touch memory for
 * the first time), and gives the median of both with the median of the rounds' ratios. `theirs` may be undefined.
 */
export async function interleave(rounds, ours, theirs) {
  for (let warmUp = 0; warmUp < 2; warmUp++) {
    await ours()
    await theirs?.()
  }
  const mine = []
  const peer = []
  for (let round = 0; round < rounds; round++) {
    mine.push(await ours())
    if (theirs) peer.push(await theirs())
  }
  return {
    seconds: median(mine),
    ...(theirs ? { peerSeconds: median(peer), speedup: median(mine.map((seconds, i) => peer[i] / seconds)) } : {}),
    rounds,
  }
}

/** Numbers for reading: three significant digits. */
export function rounded(value) {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(3))
  if (Array.isArray(value)) return value.map(rounded)
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, rounded(v)]))
  return value
}
