/** `coldstart doctor`: what a bug report needs. */

import { cpus, freemem, release, totalmem } from 'node:os'
import { maxConfigBytes } from '../../config/source.js'
import { maxImageBytes, maxImagesPerRow } from '../../data/images.js'
import { maxJsonDepth } from '../../data/json.js'
import { maxLineBytes } from '../../data/lines.js'
import { defaultLimits } from '../../reward/pool/module-reward.js'
import { maxAnswerBytes, maxRequestBytes } from '../../reward/pool/protocol.js'
import { grpoArgsSchema } from '../../train/args.js'
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
    rewards: {
      'deadline in ms': grpoArgsSchema.parse({}).rewardTimeoutMs,
      'module, asked to end': defaultLimits.softMs,
      'module, killed': defaultLimits.hardMs,
      'module heap in MiB': defaultLimits.memoryMb,
      'module batch bytes': maxRequestBytes,
      'module answer bytes': maxAnswerBytes,
    },
  }
  const { engine, grader, failure } = await nativeFacts()
  facts.processor = { model: cpus()[0]?.model.trim() ?? 'unknown', 'logical cores': cpus().length, ...engine }
  if (grader !== undefined) facts.grader = grader
  output.event({ type: 'result', ...facts, ...(failure === undefined ? {} : { failure: failure.message }) })
  output.result(
    Object.entries(facts)
      .map(([name, values]) => section(name, values))
      .join('\n'),
  )
  if (failure !== undefined) throw failure
}

/** What is compiled into the addon. */
interface NativeFacts {
  engine?: Record<string, unknown>
  grader?: Record<string, unknown>
  failure?: Error
}

async function nativeFacts(): Promise<NativeFacts> {
  try {
    const { engineInfo, graderLimits } = await import('../../native/info.js')
    const info = engineInfo()
    const limits = graderLimits()
    return {
      engine: {
        threads: info.threads,
        'float32 kernel': info.kernels.float32,
        'bfloat16 kernel': info.kernels.bfloat16,
        features: info.cpuFeatures.join(' '),
      },
      grader: {
        steps: limits.steps,
        'answer bytes': limits.answerBytes,
        nodes: limits.nodes,
        depth: limits.depth,
        'integer bits': limits.bits,
        symbols: limits.symbols,
      },
    }
  } catch (error) {
    return { failure: error as Error }
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
