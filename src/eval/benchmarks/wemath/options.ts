/** Options of a We-Math problem from the one text that holds them, gaps, odd stops and missing separators included. */

interface Chain {
  length: number
  letter: string
  /** Where the marker begins, and where its text does. */
  start: number
  textStart: number
  before: Chain | null
}

/**
 * Texts by letter. Markers are a letter A–H with `.`, `:` or `．` at the start or after `;` or a space; texts may hold such
 * things too, so the longest strictly increasing chain that begins with A counts, the earliest of equals.
 */
export function parseOptions(text: string): Record<string, string> {
  // The longest chain that ends in each letter.
  const best = new Map<string, Chain>()
  for (const { 1: letter = '', index } of text.matchAll(/(?<=^|[; ])([A-H])[.:．]/g)) {
    const before = longest([...best.values()].filter((chain) => chain.letter < letter))
    if (before === null && letter !== 'A') continue
    const length = (before?.length ?? 0) + 1
    if (length <= (best.get(letter)?.length ?? 0)) continue
    best.set(letter, { length, letter, start: index, textStart: index + 2, before })
  }
  const options: [string, string][] = []
  let end = text.length
  for (let chain = longest([...best.values()]); chain !== null; chain = chain.before) {
    options.unshift([
      chain.letter,
      text
        .slice(chain.textStart, end)
        .replace(/[;\s]+$/, '')
        .trimStart(),
    ])
    end = chain.start
  }
  return Object.fromEntries(options)
}

/** Of chains equally long the one that ended first. */
function longest(chains: readonly Chain[]): Chain | null {
  return chains.reduce<Chain | null>((best, chain) => {
    if (best === null || chain.length > best.length) return chain
    return chain.length === best.length && chain.start < best.start ? chain : best
  }, null)
}
