/** "Did you mean": the nearest of the names that exist. */

/** The most similar of `names` for a mistyped one, else the one that begins with it, or undefined when there is none. */
export function closest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.floor(name.length / 3) + 1
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  if (best !== undefined || name.length < 3) return best
  const longer = names.filter((candidate) => candidate.toLowerCase().startsWith(name.toLowerCase()))
  return longer.length === 1 ? longer[0] : undefined
}

/** For an unknown key: its camelCase spelling if that exists, else the nearest known one. */
export function advice(key: string, known: readonly string[] | undefined): string {
  if (known === undefined) return ''
  const camel = key.replace(/[_-]+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  if (camel !== key && known.includes(camel)) return `; keys are camelCase here: ${camel}`
  const near = closest(key, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}

/** Changes, insertions, deletions and swaps of neighbours that turn one into the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(change, previous[j]! + 1, row[j - 1]! + 1)
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? best) + 1)
      row.push(best)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}
