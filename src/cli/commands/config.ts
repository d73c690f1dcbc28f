/** `coldstart config print` and `coldstart config schema`. */

import { stringify } from 'yaml'
import { z } from 'zod'
import { redact } from '../../config/redact.js'
import { resolveConfig } from '../../config/resolve.js'
import { type ConfigCommand, configSchemas } from '../../config/schemas.js'
import { closest } from '../../config/suggest.js'
import { ColdstartError } from '../../errors.js'
import { type NamedFlags, overridesOf } from '../overrides.js'
import type { Context } from '../program.js'

/** One value of a configuration. */
interface Entry {
  path: string[]
  value: unknown
  source: string
}

/** Prints every value with where it comes from: flag, environment, file or default. */
export async function printCommand(
  name: string,
  file: string | undefined,
  flags: NamedFlags,
  { output }: Context,
): Promise<void> {
  const { config, sourceOf } = await resolveConfig(commandOf(name), file, overridesOf(flags))
  const entries = leaves(redact(config)).map((entry) => ({ ...entry, source: sourceOf(entry.path) }))
  output.event({
    type: 'result',
    values: entries.map(({ path, value, source }) => ({ path: path.join('.'), value, source })),
  })
  output.result(entries.map(lineOf).join(''))
}

/** Prints the JSON Schema of a command's configuration file, which editors can check against. */
export function schemaCommand(name: string, { output }: Context): void {
  const schema = z.toJSONSchema(configSchemas[commandOf(name)], { io: 'input' })
  output.event(schema)
  output.result(`${JSON.stringify(schema, null, 2)}\n`)
}

function commandOf(name: string): ConfigCommand {
  if (Object.hasOwn(configSchemas, name)) return name as ConfigCommand
  const known = Object.keys(configSchemas)
  const near = closest(name, known)
  throw new ColdstartError('E_USAGE', `${JSON.stringify(name)} has no configuration; expected ${known.join(', ')}`, {
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  })
}

function leaves(value: unknown, path: string[] = []): Omit<Entry, 'source'>[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  return Object.entries(value).flatMap(([key, element]) => leaves(element, [...path, key]))
}

function lineOf({ path, value, source }: Entry): string {
  const written = stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd()
  return `${`${path.join('.')}: ${written}`.padEnd(48)}  # ${source}\n`
}
