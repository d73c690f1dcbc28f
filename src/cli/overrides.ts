/** Flags that stand for a place in the configuration. */

import { type Override, parseSet } from '../config/resolve.js'

/** Named flags and the path each of them sets. */
export interface NamedFlags {
  model?: string
  train?: string
  test?: string
  set: readonly string[]
}

const paths = { model: ['model', 'path'], train: ['data', 'train'], test: ['data', 'test'] } as const

/** The overrides that flags mean; `--set` wins over named flags. */
export function overridesOf(flags: NamedFlags): Override[] {
  const named = Object.entries(paths).flatMap(([name, path]): Override[] => {
    const value = flags[name as keyof typeof paths]
    return value === undefined ? [] : [{ path, value, flag: `--${name} ${value}` }]
  })
  return [...named, ...flags.set.map(parseSet)]
}
