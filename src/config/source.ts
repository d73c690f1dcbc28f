/** A YAML file as plain data that still knows where each of its values stands. */

import { isMap, isScalar, LineCounter, type Node, parseDocument, type Scalar, visit } from 'yaml'
import { ColdstartError } from '../errors.js'

/** Largest configuration file, in bytes. */
export const maxConfigBytes = 8 * 1024 * 1024

/** Content of a configuration file. */
export interface ConfigSource {
  /** Plain data; `${env:NAME}` is replaced. */
  value: unknown
  /** `file:line:column` of the value at a path, or of its nearest parent that exists. */
  locate(path: readonly PropertyKey[]): string
  /** `file:line:column` of a key of the object at a path. */
  locateKey(path: readonly PropertyKey[], key: string): string
  /** Paths, joined by dots, whose value came from an environment variable, with its name. */
  fromEnvironment: ReadonlyMap<string, string>
}

const environmentPattern = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Parses a YAML 1.2 document. In strings, `${env:NAME}` is the value of an environment variable; a plain (unquoted)
 * `${env:NAME}` may be a number or a boolean too.
 *
 * @throws ColdstartError `E_CONFIG` with `file:line:column` for bad syntax, repeated keys, alias bombs and unset variables.
 */
export function parseConfig(text: string, file: string, environment: NodeJS.ProcessEnv): ConfigSource {
  if (text.length > maxConfigBytes) throw new ColdstartError('E_CONFIG', `${file}: larger than ${maxConfigBytes} bytes`)
  const lines = new LineCounter()
  const document = parseDocument(text, { version: '1.2', uniqueKeys: true, prettyErrors: false, lineCounter: lines })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [error] = document.errors
  if (error !== undefined) throw new ColdstartError('E_CONFIG', `${at(error.pos[0])}: ${error.message}`)

  const fromEnvironment = new Map<string, string>()
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string') return
      const names = substitute(node, environment, () => at(node.range?.[0] ?? 0))
      if (names.length > 0) fromEnvironment.set(pathOf([...ancestors, node] as Node[]), names.join(', '))
    },
  })

  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    throw new ColdstartError('E_CONFIG', `${file}: ${(cause as Error).message}`, { cause })
  }
  return {
    value: value ?? {},
    fromEnvironment,
    locate: (path) => {
      for (let length = path.length; length > 0; length -= 1) {
        const node = document.getIn(path.slice(0, length), true) as Node | undefined
        if (node?.range) return at(node.range[0])
      }
      return at(document.contents?.range?.[0] ?? 0)
    },
    locateKey: (path, key) => {
      const map = path.length === 0 ? document.contents : document.getIn(path, true)
      const pair = isMap(map)
        ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined
      const range = (pair?.key as Node | undefined)?.range
      return at(range?.[0] ?? 0)
    },
  }
}

/** Replaces the variables of a string and returns their names. */
function substitute(node: Scalar, environment: NodeJS.ProcessEnv, where: () => string): string[] {
  const names: string[] = []
  const text = (node.value as string).replace(environmentPattern, (_, name: string) => {
    const value = environment[name]
    if (value === undefined) throw new ColdstartError('E_CONFIG', `${where()}: environment variable ${name} is not set`)
    names.push(name)
    return value
  })
  if (names.length > 0) node.value = node.type === 'PLAIN' ? scalarOf(text) : text
  return names
}

/** What YAML makes of a plain scalar; text that is more than a scalar stays text. */
function scalarOf(text: string): unknown {
  const document = parseDocument(text, { version: '1.2' })
  return document.errors.length === 0 && isScalar(document.contents) ? document.contents.value : text
}

/** A value as typed after `--set key=`: a scalar, or a sequence or mapping in brackets. */
export function flagValue(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return scalarOf(text)
  const document = parseDocument(text, { version: '1.2', uniqueKeys: true })
  return document.errors.length === 0 ? document.toJS({ maxAliasCount: 100 }) : text
}

/** The path of a node from the keys and indices on the way to it. */
function pathOf(nodes: readonly Node[]): string {
  const keys: string[] = []
  for (const [index, node] of nodes.entries()) {
    const parent = nodes[index - 1] as (Node & { items?: unknown[] }) | undefined
    if (isScalar((node as { key?: unknown }).key)) keys.push(String((node as unknown as { key: Scalar }).key.value))
    else if (parent?.items !== undefined && !isMap(parent)) keys.push(String(parent.items.indexOf(node)))
  }
  return keys.join('.')
}
