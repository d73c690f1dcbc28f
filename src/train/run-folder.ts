// The files of a run: settings, metrics, samples. Checkpoints are the engine's, since they are written atomically there.
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { appendFile, mkdir, open, readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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

type Lock = Extract<ReturnType<ReturnType<typeof native>['lockRun']>, { release(): void }>

/** An open run folder, held by one process at a time. */
export class RunFolder {
  readonly path: string
  readonly #lock: Lock
  #facts: Record<string, unknown> = {}
  #lines = ''
  /** Bytes of metrics.jsonl that are whole lines. */
  #metricsBytes = 0
  /** Whether a failed write may have left a part of a line behind them. */
  #isTorn = false
  /** Files that the disk has not taken yet, in the order of their first write. */
  readonly #owed = new Map<string, () => Promise<void>>()
  #fault: string | undefined

  private constructor(path: string, lock: Lock) {
    this.path = path
    this.#lock = lock
  }

  /** Creates the folder and takes its lock; `E_BUSY` names the process that holds it, `E_PATH` says why there is no folder. */
  static async open(path: string): Promise<RunFolder> {
    await asPathError(path, () => mkdir(path, { recursive: true }))
    const lock = unwrap(native().lockRun(path))
    return new RunFolder(path, lock)
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints')
  }

  /** Whether the folder has metrics or checkpoints of a run. */
  get holdsRun(): boolean {
    const hasSteps = () => readdirSync(this.checkpoints).some((name) => /^step-\d+$/.test(name))
    return existsSync(this.#metrics) || (existsSync(this.checkpoints) && hasSteps())
  }

  /** Whether a checkpoint is one of this run's own. */
  owns(checkpoint: string): boolean {
    const parent = dirname(checkpoint)
    return existsSync(this.checkpoints) && existsSync(parent) && realpathSync(parent) === realpathSync(this.checkpoints)
  }

  /** Moves checkpoints after `step` out of the way of a run that goes on from there; returns where they went. */
  supersedeAfter(step: number): string[] {
    return unwrap(this.#lock.supersedeAfter(step))
  }

  async writeSettings(args: Record<string, unknown>, facts: Record<string, unknown>): Promise<void> {
    await asPathError(this.path, async () => {
      await writeFile(join(this.path, 'config.resolved.yaml'), stringify(args))
      await writeFile(join(this.path, 'run.json'), `${JSON.stringify(facts, null, 2)}\n`)
    })
    this.#facts = facts
  }

  /** Drops lines of steps after `step`: they were written by a process that died before its next checkpoint. Returns the kept ones. */
  async rewindMetrics(step: number): Promise<MetricsLine[]> {
    const file = this.#metrics
    return asPathError(file, async () => {
      if (!existsSync(file)) return []
      const lines = (await readFile(file, 'utf8')).split('\n')
      const kept = lines.flatMap((text) => {
        const line = parsed(text)
        return line && Number(line.step ?? 0) <= step ? [{ text: `${text}\n`, line }] : []
      })
      const content = kept.map(({ text }) => text).join('')
      const handle = await open(`${file}.tmp`, 'w')
      await handle.writeFile(content)
      await handle.sync()
      await handle.close()
      await rename(`${file}.tmp`, file)
      this.#metricsBytes = Buffer.byteLength(content)
      return kept.map(({ line }) => line)
    })
  }

  /** Adds to run.json, at the next {@link flush}, what has shown while the run went on. */
  addFacts(facts: Record<string, unknown>): void {
    const all = { ...this.#facts, ...facts }
    if (JSON.stringify(all) === JSON.stringify(this.#facts)) return
    this.#facts = all
    const file = join(this.path, 'run.json')
    this.#owed.set('run.json', async () => {
      await writeFile(`${file}.tmp`, `${JSON.stringify(all, null, 2)}\n`)
      await rename(`${file}.tmp`, file)
    })
  }

  /** Adds a line to the metrics, at the next {@link flush}. */
  appendMetrics(line: Record<string, unknown>): void {
    this.#lines += `${JSON.stringify(line)}\n`
    this.#owed.set('metrics.jsonl', () => this.#appendLines())
  }

  /** Writes the samples of a step, at the next {@link flush}. */
  writeSamples(step: number, samples: readonly Record<string, unknown>[]): void {
    this.#oweLines('samples', `${nameOf(step)}.jsonl`, samples)
  }

  /** Writes what was at hand when step `step` came out non-finite. Returns the file. */
  writeDiverged(step: number, samples: readonly Record<string, unknown>[]): string {
    return this.#oweLines('diverged', `${nameOf(step)}.jsonl`, samples)
  }

  /**
   * Writes what is owed. What the disk does not take stays owed, for the next time; a full disk may be emptied.
   * Returns why, when this is news.
   */
  async flush(): Promise<string | undefined> {
    const known = this.#fault !== undefined
    this.#fault = undefined
    for (const [name, write] of this.#owed) {
      try {
        await write()
        this.#owed.delete(name)
      } catch (error) {
        this.#fault = `${join(this.path, name)}: not written: ${(error as Error).message}`
        break
      }
    }
    return known ? undefined : this.#fault
  }

  /** The last chance of what is owed: throws `E_CKPT_SAVE` for what cannot be written. */
  async finish(): Promise<void> {
    await this.flush()
    if (this.#fault === undefined) return
    throw new ColdstartError('E_CKPT_SAVE', `${this.#fault}; ${this.#owed.size} files of the run are incomplete`, {
      hint: 'free some space; the checkpoint is whole and the run can go on from it',
    })
  }

  close(): void {
    this.#lock.release()
  }

  get #metrics(): string {
    return join(this.path, 'metrics.jsonl')
  }

  async #appendLines(): Promise<void> {
    if (this.#isTorn && existsSync(this.#metrics)) await truncate(this.#metrics, this.#metricsBytes)
    this.#isTorn = true
    await appendFile(this.#metrics, this.#lines)
    this.#isTorn = false
    this.#metricsBytes += Buffer.byteLength(this.#lines)
    this.#lines = ''
  }

  #oweLines(folder: string, name: string, lines: readonly Record<string, unknown>[]): string {
    const file = join(this.path, folder, name)
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    this.#owed.set(join(folder, name), async () => {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    })
    return file
  }
}

/** A line of metrics.jsonl. */
export interface MetricsLine {
  type?: string
  step?: number
}

const nameOf = (step: number): string => `step-${String(step).padStart(6, '0')}`

function parsed(line: string): MetricsLine | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Gives the file system's refusal of a path its code. */
async function asPathError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is where the folder should be' : message
    throw new ColdstartError('E_PATH', `outputDir: ${path}: ${reason}`, {
      cause,
      hint: 'expected a folder that can be written to, or a path where one can be made',
    })
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
    hint: `use the same settings, or begin a new run in another outputDir from the model ${join(path, 'model')}`,
  })
}
