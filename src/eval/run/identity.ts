/** What makes two runs the same run: every fact that decides a response. */

/** Facts that may differ: where files lie, and who wrote the folder. */
const incidental = new Set([
  'coldstart',
  'answers.path',
  'dataset.path',
  'dataset.from.data',
  'dataset.from.imageRoot',
  'dataset.revision',
  'dataset.withoutImage',
])

/** Names and both values of the facts that differ, as `sampling.seed: 0 then, 1 now`. */
export function differences(then: object, now: object, words: [string, string] = ['then', 'now']): string[] {
  const before = leaves(then)
  const after = leaves(now)
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => !incidental.has(name) && before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? 'nothing'} ${words[0]}, ${after.get(name) ?? 'nothing'} ${words[1]}`)
}

/** JSON text of every value that is no object, by its path. */
function leaves(value: unknown, path: readonly string[] = []): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map(value === undefined ? [] : [[path.join('.'), JSON.stringify(value)]])
  }
  return new Map(Object.entries(value).flatMap(([key, child]) => [...leaves(child, [...path, key])]))
}
