/** From a file and flags to a validated configuration: flags go before the file, the file before defaults. */

import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { refusalOf } from '../data/file.js'
import { ColdstartError } from '../errors.js'
import { faultOf, shown, valueAt } from './fault.js'
import { keysAt } from './keys.js'
import { type Config, type ConfigCommand, schemaFor } from './schemas.js'
import { type ConfigSource, flagValue, parseConfig } from './source.js'
import { advice } from './suggest.js'

/** A value given on the command line. */
export interface Override {
  /** Keys on the way to it. */
  path: readonly string[]
  value: unknown
  /** The flag as typed, for errors. */
  flag: string
}

/** A configuration and where its values came from. */
export interface ResolvedConfig<C extends ConfigCommand> {
  config: Config<C>
  /** `flag`, `env NAME`, `file` or `default`, by path. */
  sourceOf(path: readonly string[]): string
}

/** Reads `--set args.learningRate=1e-5`: a path of keys, and a value as YAML writes it. */
export function parseSet(text: string): Override {
  const equals = text.indexOf('=')
  const path = text.slice(0, equals).split('.')
  if (equals < 1 || path.some((key) => key === '')) {
    throw new ColdstartError('E_USAGE', `--set ${text}: expected key.path=value`, {
      hint: 'for example --set args.learningRate=1e-5',
    })
  }
  return { path, value: flagValue(text.slice(equals + 1)), flag: `--set ${text}` }
}

/**
 * Reads, merges and validates.
 *
 * @param file YAML file; undefined takes everything from flags.
 * @throws ColdstartError `E_CONFIG` listing every fault with `file:line:column` or its flag; `E_PATH` for an unreadable file.
 */
export async function resolveConfig<C extends ConfigCommand>(
  command: C,
  file: string | undefined,
  overrides: readonly Override[] = [],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ResolvedConfig<C>> {
  const source = file === undefined ? emptySource : parseConfig(await read(file), file, environment)
  const value = overrides.reduce(withOverride, source.value)
  const schema = schemaFor(command, value)
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalid(command, schema, parsed.error, value, source, overrides)
  return {
    config: parsed.data as Config<C>,
    sourceOf: (path) => {
      if (overrideAt(overrides, path) !== undefined) return 'flag'
      const variable = source.fromEnvironment.get(path.join('.'))
      if (variable !== undefined) return `env ${variable}`
      return has(source.value, path) ? 'file' : 'default'
    },
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ColdstartError('E_PATH', `${file}: ${refusalOf(cause)}`, { cause })
  }
}

const emptySource: ConfigSource = {
  value: {},
  fromEnvironment: new Map(),
  locate: () => 'command line',
  locateKey: () => 'command line',
}

/** A copy with the value set; objects on the way are made, anything else there is replaced. */
function withOverride(value: unknown, { path, value: leaf }: Override): unknown {
  const [key, ...rest] = path
  if (key === undefined) return leaf
  const object = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  const child = Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
  return Object.fromEntries([
    ...Object.entries(object).filter(([name]) => name !== key),
    [key, withOverride(child, { path: rest, value: leaf, flag: '' })],
  ])
}

/** The last flag that set the value at a path or one of its parents. */
function overrideAt(overrides: readonly Override[], path: readonly PropertyKey[]): Override | undefined {
  return overrides.findLast((override) => override.path.every((key, index) => path[index] === key))
}

function has(value: unknown, path: readonly string[]): boolean {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false
    current = (current as Record<string, unknown>)[key]
  }
  return true
}

function invalid(
  command: ConfigCommand,
  schema: z.ZodType,
  error: z.ZodError,
  value: unknown,
  source: ConfigSource,
  overrides: readonly Override[],
): ColdstartError {
  const faults = error.issues.flatMap((issue): string[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const flag = overrideAt(overrides, [...issue.path, key])?.flag
        const place = flag ?? source.locateKey(issue.path, key)
        return `${place}: unknown key ${dotted([...issue.path, key])}${advice(key, keysAt(schema, issue.path))}`
      })
    }
    const flag = overrideAt(overrides, issue.path)?.flag
    const place = flag ?? source.locate(issue.path)
    const name = issue.path.length === 0 ? '' : `${dotted(issue.path)}: `
    const came = valueAt(value, issue.path)
    if (came === undefined && issue.code === 'invalid_type') return [`${place}: ${name}missing (${issue.expected})`]
    // What the environment holds may be a secret.
    const variable = flag === undefined ? source.fromEnvironment.get(dotted(issue.path)) : undefined
    return [`${place}: ${name}${faultOf(issue, variable ? `the value of ${variable}` : shown(came))}`]
  })
  const count = faults.length === 1 ? '' : `${faults.length} faults in the configuration:\n  `
  return new ColdstartError('E_CONFIG', count + faults.join('\n  '), {
    hint: `coldstart config schema ${command} prints everything that is allowed`,
    details: { faults },
  })
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.')
