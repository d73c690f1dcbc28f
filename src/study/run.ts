// The paper's study in miniature, from nothing to a report: data, base model, the four arms of every seed, study.json and report.html.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ColdstartError } from '../errors.js'
import { makeOutputFolder } from '../files/folder.js'
import { writeWhole } from '../files/write.js'
import { renderStudyReport } from '../report/study-report.js'
import { version } from '../version.js'
import { prepareData } from './data.js'
import { findDigits, HELD_OUT_DIGITS } from './digits.js'
import { machineFacts } from './machine.js'
import { Progress } from './progress.js'
import { FULL, modelConfig, QUICK, reinforcementArgs, type Scale, supervisedArgs, TABLE_DIGITS } from './recipe.js'
import { runSeed, type SeedResult } from './seed.js'
import { dataSets } from './sets.js'
import { samplesOf, summarize } from './summary.js'
import type { StudyOptions, StudyResult } from './types.js'

/** All digits of the package less the held-out ones. */
const TRAIN_DIGITS = 9000

/**
 * Trains a 1.4-million-parameter Qwen2.5-VL on handwritten digits, from random weights, and compares four arms on held-out images of three
 * digits whose sum is asked for: the base model, reinforcement learning alone, a cold start alone, and a cold start followed by
 * reinforcement learning. Every seed has a base model, cold-start examples and samples of its own. The same seeds give the same figures
 * with any number of threads; kernels of another kind of processor round differently.
 *
 * Writes `study.json`, `report.html`, `data/` (images and JSON Lines) and `seed-<n>/<stage>/` (run folder of each stage, its model and
 * answers) under `outputDir`. Data that is there already is verified and used again; results of an earlier study are replaced.
 *
 * Throws `E_CONFIG` when the folder holds something that is no study, `E_PATH` when it cannot be written to or the package `mnist`
 * is not installed.
 *
 * ```ts
 * const study = await runStudy({ seeds: 5, onEvent: (event) => event.type === 'arm' && console.log(event.arm, event.accuracy) })
 * ```
 */
export async function runStudy(options: StudyOptions = {}): Promise<StudyResult> {
  const { seeds = 1, outputDir = 'runs/miniature', quick = false, signal } = options
  if (!Number.isInteger(seeds) || seeds < 1) {
    throw new ColdstartError('E_CONFIG', `seeds: expected an integer of at least 1, got ${seeds}`)
  }
  signal?.throwIfAborted()
  const emit = options.onEvent ?? (() => undefined)
  const scale = quick ? QUICK : FULL
  const startedAt = new Date()
  const began = performance.now()

  const digits = await findDigits()
  await clearFolder(outputDir)
  const data = await prepareData(join(outputDir, 'data'), digits, dataSets(scale, seeds), {
    signal,
    onProgress: (set, done, total) => emit({ type: 'data', set, done, total }),
  })
  const dataSeconds = secondsSince(began)

  const progress = new Progress(scale, seeds)
  const results: SeedResult[] = []
  for (let seed = 0; seed < seeds; seed++) {
    const folder = join(outputDir, `seed-${seed}`)
    results.push(await runSeed({ seed, seeds, scale, data, folder, progress, emit, signal }))
  }

  const study: StudyResult = {
    format: 1,
    quick,
    ...summarize(results, dataSeconds),
    seconds: secondsSince(began),
    samples: await samplesOf(data, results[0] as SeedResult),
    machine: machineFacts(),
    versions: { coldstart: version, node: process.versions.node, mnist: digits.version },
    recipe: recipe(scale),
    data: {
      sha256: data.sha256,
      images: data.images,
      trainDigits: TRAIN_DIGITS,
      heldOutDigits: HELD_OUT_DIGITS,
      heldOutImages: scale.heldOut,
    },
    command: options.command ?? `runStudy({ seeds: ${seeds}${quick ? ', quick: true' : ''} })`,
    startedAt: startedAt.toISOString(),
  }
  const studyPath = join(outputDir, 'study.json')
  const reportPath = join(outputDir, 'report.html')
  await writeWhole(studyPath, `${JSON.stringify(study, null, 1)}\n`)
  await writeWhole(reportPath, renderStudyReport(study))
  emit({ type: 'end', studyPath, reportPath, seconds: study.seconds })
  return study
}

/** The arguments of every stage, without the seed and the folders. */
function recipe(scale: Scale): Record<string, unknown> {
  const seedless = ({ seed: _, ...rest }: { seed?: number | undefined }): object => rest
  return {
    tableDigits: TABLE_DIGITS,
    scale,
    base: seedless(supervisedArgs(scale, 'base', 0)),
    rl: seedless(reinforcementArgs(scale, 'rl', 0)),
    sft: seedless(supervisedArgs(scale, 'sft', 0)),
    'sft+rl': seedless(reinforcementArgs(scale, 'sft+rl', 0)),
    model: modelConfig(),
  }
}

/** Removes the results of an earlier study and nothing else; refuses a folder that something else lives in. */
async function clearFolder(folder: string): Promise<void> {
  await makeOutputFolder(folder)
  const entries = await readdir(folder)
  const ours = (name: string) => /^(data|seed-\d+|(study\.json|report\.html)(\.part)?)$/.test(name)
  const foreign = entries.filter((name) => !ours(name))
  if (foreign.length > 0) {
    throw new ColdstartError(
      'E_CONFIG',
      `outputDir: ${folder} holds other things than a study: ${foreign.slice(0, 3).join(', ')}`,
      {
        hint: 'choose a folder that is new, empty, or of an earlier study',
      },
    )
  }
  for (const name of entries) {
    if (name !== 'data') await rm(join(folder, name), { recursive: true })
  }
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000
