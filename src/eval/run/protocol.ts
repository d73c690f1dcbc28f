/** Which benchmark and protocol are meant, with the options complete. */

import { closest } from '../../config/suggest.js'
import { ColdstartError } from '../../errors.js'
import { benchmarks } from '../benchmarks/index.js'
import type { Benchmark, BenchmarkName, PresetName, Protocol, ProtocolOptions } from '../types.js'

/** The benchmark itself, or the built-in one of a name. Throws `E_CONFIG` for an unknown name. */
export function benchmarkOf(benchmark: BenchmarkName | Benchmark): Benchmark {
  if (typeof benchmark !== 'string') return benchmark
  if (Object.hasOwn(benchmarks, benchmark)) return benchmarks[benchmark]
  const names = Object.keys(benchmarks)
  const near = closest(benchmark, names)
  throw new ColdstartError('E_CONFIG', `unknown benchmark ${JSON.stringify(benchmark)}`, {
    hint: near === undefined ? `built in: ${names.join(', ')}` : `did you mean ${near}?`,
  })
}

/**
 * The protocol of a preset. The default is `official`: the authors' own numbers are what leaderboards show, and no tool or
 * paper of somebody else comes in; a benchmark without such a protocol has its first one as default.
 *
 * @throws ColdstartError `E_CONFIG` for a preset that the benchmark does not have.
 */
export function protocolOf(benchmark: Benchmark, name?: PresetName): Protocol {
  const presets = Object.keys(benchmark.protocols)
  const preset = name ?? (presets.includes('official') ? 'official' : (presets[0] as PresetName))
  const protocol = Object.hasOwn(benchmark.protocols, preset) ? benchmark.protocols[preset] : undefined
  if (protocol !== undefined) return protocol
  const near = closest(preset, presets)
  throw new ColdstartError('E_CONFIG', `${benchmark.name} has no preset ${JSON.stringify(preset)}`, {
    hint: near === undefined ? `it has ${presets.join(', ')}` : `did you mean ${near}?`,
  })
}

/** The options with their defaults. Throws `E_CONFIG` for one that the protocol does not read, or of another type. */
export function completeOptions(protocol: Protocol, given: Readonly<ProtocolOptions> = {}): ProtocolOptions {
  const defaults = protocol.options as Readonly<Record<string, unknown>>
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [name, value] of chosen) {
    const where = `${protocol.benchmark}, preset ${protocol.preset}`
    if (!Object.hasOwn(defaults, name)) {
      const names = Object.keys(defaults)
      const near = closest(name, names)
      const reads = names.length === 0 ? 'it reads none' : `it reads ${names.join(', ')}`
      throw new ColdstartError('E_CONFIG', `${where}: no option ${JSON.stringify(name)}`, {
        hint: near === undefined ? reads : `did you mean ${near}?`,
      })
    }
    if (typeof value !== typeof defaults[name]) {
      throw new ColdstartError(
        'E_CONFIG',
        `${where}: ${name}: expected a ${typeof defaults[name]}, got ${typeof value}`,
      )
    }
  }
  return { ...protocol.options, ...Object.fromEntries(chosen) }
}
