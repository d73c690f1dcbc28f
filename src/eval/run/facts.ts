/** What a run is: everything that decides a response, written down before the first one. */

import { relative, resolve } from 'node:path'
import { version } from '../../version.js'
import type { SplitData } from '../read/split.js'
import type { Protocol, ProtocolOptions } from '../types.js'
import { fileFingerprint, modelFingerprint } from './fingerprints.js'
import type { Answerer, RunBenchmarkOptions } from './options.js'
import type { ModelFacts, ResponsesFacts, RunFacts } from './types.js'

/** The facts, without the digest of the images. */
export async function factsOf(
  options: RunBenchmarkOptions,
  answerer: Answerer,
  protocol: Protocol,
  switches: ProtocolOptions,
  { split, spec, rows, fingerprint, revision }: SplitData,
): Promise<RunFacts> {
  const { benchmark, preset, pixels = null } = protocol
  const byModel = answerer.kind === 'model'
  const answered = rows.slice(0, options.limit)
  const withoutImage = answered.filter(({ images }) => images.some(({ isAbsent }) => isAbsent === true)).length
  return {
    format: 1,
    coldstart: version,
    protocol: { benchmark, preset, version: protocol.version, options: switches },
    sampling: byModel ? answerer.sampling : null,
    pixels: byModel ? pixels : null,
    answers: await answersOf(options, answerer),
    dataset: {
      path: options.data,
      from: {
        data: seenFrom(options.outputDir, options.data),
        imageRoot: options.imageRoot === undefined ? null : seenFrom(options.outputDir, options.imageRoot),
      },
      split,
      fingerprint,
      images: null,
      revision,
      rows: rows.length,
      published: spec.rows,
      answered: answered.length,
      ...(withoutImage === 0 ? {} : { withoutImage }),
    },
  }
}

const seenFrom = (folder: string, path: string): string => relative(resolve(folder), resolve(path))

async function answersOf(
  { dtype = 'float32', signal }: RunBenchmarkOptions,
  { kind, path }: Answerer,
): Promise<ModelFacts | ResponsesFacts> {
  if (kind === 'model') return { kind, path, fingerprint: await modelFingerprint(path, signal), dtype }
  return { kind, path, fingerprint: await fileFingerprint(path, signal) }
}
