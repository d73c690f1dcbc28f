/** Rewards named in a configuration: built-in ones, or exports of the user's own modules. */

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closest } from '../config/suggest.js'
import { ColdstartError } from '../errors.js'
import { exactBoxed } from '../reward/boxed.js'
import type { RewardFunc } from '../reward/types.js'

const builtIn: ReadonlyMap<string, RewardFunc> = new Map([['exactBoxed', exactBoxed]])

/**
 * The reward that a text means: a built-in name, or the path of a module, relative to the working directory, whose
 * default export, only function or `#named` export it is. A module runs with the rights of this process.
 *
 * @throws ColdstartError `E_CONFIG` for an unknown name or export, `E_REWARD` for a module that fails to load.
 */
export async function resolveReward(text: string): Promise<RewardFunc> {
  const known = builtIn.get(text)
  if (known !== undefined) return known
  const [path = '', name] = text.split('#', 2)
  if (!/\.[cm]?js$/.test(path)) {
    const near = closest(text, builtIn.keys())
    throw new ColdstartError('E_CONFIG', `unknown reward ${JSON.stringify(text)}`, {
      hint:
        near === undefined
          ? `built in: ${[...builtIn.keys()].join(', ')}; or the path of a .js module`
          : `did you mean ${near}?`,
    })
  }
  return functionOf(await load(path), path, name)
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (cause) {
    throw new ColdstartError('E_REWARD', `${path} cannot be loaded: ${(cause as Error).message}`, { cause })
  }
}

function functionOf(module: Record<string, unknown>, path: string, name: string | undefined): RewardFunc {
  const functions = Object.entries(module).filter(([, value]) => typeof value === 'function')
  const named =
    name === undefined ? (module.default ?? (functions.length === 1 ? functions[0]?.[1] : undefined)) : module[name]
  if (typeof named === 'function') return named as RewardFunc
  const exports = functions.map(([key]) => key).join(', ') || 'none'
  throw new ColdstartError(
    'E_CONFIG',
    `${path} has no function ${name ?? 'as its default export'} (functions: ${exports})`,
    {
      hint: `write ${path}#name for a named export`,
    },
  )
}
