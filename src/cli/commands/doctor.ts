/** `coldstart doctor`: what a bug report needs. */

import { cpus, freemem, release, totalmem } from 'node:os'
import { maxConfigBytes } from '../../config/source.js'
import { maxImageBytes, maxImagesPerRow } from '../../data/images.js'
import { maxJsonDepth } from '../../data/json.js'
import { maxLineBytes } from '../../data/lines.js'
import type { EngineInfo } from '../../native/info.js'
import { version } from '../../version.js'
import { gibibytes } from '../format.js'
import type { Context } from '../program.js'

/** Prints versions, processor, kernels, memory and limits. A missing addon is reported and makes the command fail. */
export async function doctorCommand({ output }: Context): Promise<void> {
  const facts: Record<string, Record<string, unknown>> = {
    versions: {
      coldstart: version,
      node: process.versions.node,
      napi: process.versions.napi,
      ...(await sharpVersions()),
    },
    system: { platform: `${process.platform}-${process.arch}`, kernel: release(), glibc: glibcVersion() },
    memory: {
      total: gibibytes(totalmem()),
      free: gibibytes(freemem()),
      // The limit of the container, where there is one.
      limit: gibibytes(
        process.constrainedMemory() > 0 ? Math.min(process.constrainedMemory(), totalmem()) : totalmem(),
      ),
    },
    limits: {
      'image bytes': maxImageBytes,
      'images per row': maxImagesPerRow,
      'JSONL line bytes': maxLineBytes,
      'JSON depth': maxJsonDepth,
      'configuration bytes': maxConfigBytes,
    },
  }
  const { engine, failure } = await engineFacts()
  facts.processor = { model: cpus()[0]?.model.trim() ?? 'unknown', 'logical cores': cpus().length, ...engine }
  output.event({ type: 'result', ...facts, ...(failure === undefined ? {} : { failure: failure.message }) })
  output.result(
    Object.entries(facts)
      .map(([name, values]) => section(name, values))
      .join('\n'),
  )
  if (failure !== undefined) throw failure
}

async function engineFacts(): Promise<{ engine: Record<string, unknown>; failure?: Error }> {
  try {
    const { engineInfo } = await import('../../native/info.js')
    const info: EngineInfo = engineInfo()
    return {
      engine: {
        threads: info.threads,
        'float32 kernel': info.kernels.float32,
        'bfloat16 kernel': info.kernels.bfloat16,
        features: info.cpuFeatures.join(' '),
      },
    }
  } catch (error) {
    return { engine: {}, failure: error as Error }
  }
}

async function sharpVersions(): Promise<Record<string, string>> {
  try {
    const { default: sharp } = await import('sharp')
    return { sharp: sharp.versions.sharp ?? 'unknown', libvips: sharp.versions.vips }
  } catch (error) {
    return { sharp: `cannot be loaded: ${(error as Error).message.split('\n', 1)[0]}` }
  }
}

function glibcVersion(): string {
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return report.header.glibcVersionRuntime ?? 'none'
}

function section(name: string, values: Record<string, unknown>): string {
  const lines = Object.entries(values).map(([key, value]) => `  ${key.padEnd(20)} ${String(value)}\n`)
  return `${name}\n${lines.join('')}`
}
