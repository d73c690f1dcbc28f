// Reads the folder of a run for its report: metrics, settings and samples, as its trainer left them, finished or not.
import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'

/** A line of metrics.jsonl. */
export interface MetricsLine {
  step: number
  time: string
  metrics: Record<string, number>
  tokens?: number
  seconds?: number
}

/** A line of samples/step-….jsonl. */
export interface SampleLine {
  row?: string
  answer?: string
  completion: string
  reward?: number | null
  tokens?: number
  finishReason?: string
}

/** What the report of a run is made of. */
export interface RunData {
  name: string
  stage: string
  /** Content of run.json. */
  facts: Record<string, unknown>
  /** Text of config.resolved.yaml. */
  settings: string
  steps: MetricsLine[]
  evals: MetricsLine[]
  /** Samples of the first and the last step that has any. */
  samples: { step: number; lines: SampleLine[] }[]
}

/** Throws `E_PATH` when there are no metrics in the folder and `E_DATA_FORMAT` naming the line that is none. */
export async function readRun(folder: string): Promise<RunData> {
  const lines = await readLines(join(folder, 'metrics.jsonl'))
  if (lines === undefined) {
    throw new ColdstartError('E_PATH', `${folder} holds no metrics.jsonl: it is not the folder of a run`, {
      hint: 'give the folder of a run, a study or a benchmark',
    })
  }
  const facts = (await readJson(join(folder, 'run.json'))) ?? {}
  return {
    name: basename(resolve(folder)),
    stage: String(lines[0]?.stage ?? facts.stage ?? 'run'),
    facts,
    settings: (await readText(join(folder, 'config.resolved.yaml'))) ?? '',
    steps: lines.filter((line) => line.type === 'step').map(metricsLine),
    evals: lines.filter((line) => line.type === 'eval').map(metricsLine),
    samples: await readSamples(join(folder, 'samples')),
  }
}

function metricsLine(line: Record<string, unknown>): MetricsLine {
  const metrics = Object.entries((line.metrics ?? {}) as Record<string, unknown>)
  return {
    step: Number(line.step),
    time: String(line.time ?? ''),
    // JSON has no NaN: a value that was not finite arrives as null.
    metrics: Object.fromEntries(metrics.map(([name, value]) => [name, typeof value === 'number' ? value : Number.NaN])),
    ...(typeof line.tokens === 'number' ? { tokens: line.tokens } : {}),
    ...(typeof line.seconds === 'number' ? { seconds: line.seconds } : {}),
  }
}

async function readSamples(folder: string): Promise<RunData['samples']> {
  let files: string[]
  try {
    files = (await readdir(folder)).filter((name) => /^step-\d+\.jsonl$/.test(name)).sort()
  } catch {
    return []
  }
  const shown = [...new Set([files[0], files.at(-1)])].filter((file) => file !== undefined)
  return Promise.all(
    shown.map(async (file) => ({
      step: Number(/\d+/.exec(file)?.[0]),
      lines: ((await readLines(join(folder, file))) ?? []).map(sampleLine),
    })),
  )
}

function sampleLine(line: Record<string, unknown>): SampleLine {
  const text = (value: unknown) => (value === undefined || value === null ? undefined : String(value))
  const [row, answer, finishReason] = [text(line.row), text(line.answer), text(line.finishReason)]
  return {
    completion: String(line.completion ?? ''),
    ...(row === undefined ? {} : { row }),
    ...(answer === undefined ? {} : { answer }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(typeof line.tokens === 'number' ? { tokens: line.tokens } : {}),
    ...(typeof line.reward === 'number' || line.reward === null ? { reward: line.reward } : {}),
  }
}

/** Whole lines only: a run that is still going, or was killed, may have left a part of one. */
async function readLines(file: string): Promise<Record<string, unknown>[] | undefined> {
  const text = await readText(file)
  if (text === undefined) return undefined
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => parse(line, `${file}:${index + 1}`))
}

async function readJson(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readText(file)
  return text === undefined ? undefined : parse(text, file)
}

function parse(text: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new ColdstartError('E_DATA_FORMAT', `${where}: not JSON`, { cause })
  }
  throw new ColdstartError('E_DATA_FORMAT', `${where}: expected an object`)
}

async function readText(file: string): Promise<string | undefined> {
  return (await readIfPresent(file))?.toString('utf8')
}
