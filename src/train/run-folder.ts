// The files of a run: settings, metrics, samples. Checkpoints are the engine's, since they are written atomically there.
import { appendFile, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ColdstartError } from '../errors.js'
import { native, unwrap } from '../native/index.js'

/** Settings that may change between a run and its continuation without changing a single number of it. */
const runtimeOnly = new Set([
  'outputDir',
  'saveSteps',
  'saveTotalLimit',
  'resumeFromCheckpoint',
  'loggingSteps',
  'evalSteps',
])

/** An open run folder, held by one process at a time. */
export class RunFolder {
  readonly path: string
  readonly #lock: { release(): void }
  #facts: Record<string, unknown> = {}

  private constructor(path: string, lock: { release(): void }) {
    this.path = path
    this.#lock = lock
  }

  /** Creates the folder and takes its lock; `E_BUSY` names the process that holds it. */
  static async open(path: string): Promise<RunFolder> {
    await mkdir(path, { recursive: true })
    const lock = unwrap(native().lockRun(path))
    return new RunFolder(path, lock)
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints')
  }

  async writeSettings(args: Record<string, unknown>, facts: Record<string, unknown>): Promise<void> {
    await writeFile(join(this.path, 'config.resolved.yaml'), stringify(args))
    await writeFile(join(this.path, 'run.json'), `${JSON.stringify(facts, null, 2)}\n`)
    this.#facts = facts
  }

  /** Adds to run.json what has shown while the run went on. */
  async addFacts(facts: Record<string, unknown>): Promise<void> {
    const all = { ...this.#facts, ...facts }
    if (JSON.stringify(all) === JSON.stringify(this.#facts)) return
    const file = join(this.path, 'run.json')
    await writeFile(`${file}.tmp`, `${JSON.stringify(all, null, 2)}\n`)
    await rename(`${file}.tmp`, file)
    this.#facts = all
  }

  async appendMetrics(line: Record<string, unknown>): Promise<void> {
    await appendFile(join(this.path, 'metrics.jsonl'), `${JSON.stringify(line)}\n`)
  }

  /** Drops lines of steps after `step`: they were written by a process that died before its next checkpoint. */
  async rewindMetrics(step: number): Promise<void> {
    const file = join(this.path, 'metrics.jsonl')
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    const kept = text.split('\n').filter((line) => line.endsWith('}') && stepOf(line) <= step)
    const handle = await open(`${file}.tmp`, 'w')
    await handle.writeFile(kept.map((line) => `${line}\n`).join(''))
    await handle.sync()
    await handle.close()
    await rename(`${file}.tmp`, file)
  }

  async writeSamples(step: number, samples: readonly Record<string, unknown>[]): Promise<void> {
    const folder = join(this.path, 'samples')
    await mkdir(folder, { recursive: true })
    const name = `step-${String(step).padStart(6, '0')}.jsonl`
    await writeFile(join(folder, name), samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''))
  }

  close(): void {
    this.#lock.release()
  }
}

function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { step?: number }).step ?? 0)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** The settings that decide the numbers of a run. */
export function settingsOf(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !runtimeOnly.has(name)))
}

/** Refuses to go on with other settings or other data than the checkpoint was made with, naming what differs. */
export function assertSameRun(saved: Record<string, unknown>, now: Record<string, unknown>, path: string): void {
  const names = new Set([...Object.keys(saved), ...Object.keys(now)])
  const changed = [...names].filter((name) => JSON.stringify(saved[name]) !== JSON.stringify(now[name]))
  if (changed.length === 0) return
  const list = changed.map((name) => `${name}: ${JSON.stringify(saved[name])} then, ${JSON.stringify(now[name])} now`)
  throw new ColdstartError('E_CKPT_MISMATCH', `${path} belongs to a run with other settings: ${list.join('; ')}`, {
    hint: 'use the same settings, another outputDir, or resumeFromCheckpoint: false',
  })
}
