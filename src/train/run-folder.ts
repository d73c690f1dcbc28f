// The files of a run: settings, metrics, samples. Checkpoints are the engine's, since they are written atomically there.
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { ColdstartError } from '../errors.js'
import { AppendedLines, wholeLines } from '../files/appended-lines.js'
import { asPathError, makeOutputFolder } from '../files/folder.js'
import { jsonLines, jsonText, syncFolder, writeWhole } from '../files/write.js'
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
  readonly #metrics: AppendedLines
  /** Lines of the metrics that the disk has not taken yet. */
  #lines = ''
  /** Files that the disk has not taken yet, in the order of their first write. */
  readonly #owed = new Map<string, () => Promise<void>>()
  #fault: string | undefined

  private constructor(path: string, lock: Lock) {
    this.path = path
    this.#lock = lock
    this.#metrics = new AppendedLines(join(path, 'metrics.jsonl'))
  }

  /** Creates the folder and takes its lock; `E_BUSY` names the process that holds it, `E_PATH` says why there is no folder. */
  static async open(path: string): Promise<RunFolder> {
    await makeOutputFolder(path)
    const lock = unwrap(native().lockRun(path))
    return new RunFolder(path, lock)
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints')
  }

  /** Whether the folder has metrics or checkpoints of a run. */
  get holdsRun(): boolean {
    const hasSteps = () => readdirSync(this.checkpoints).some((name) => /^step-\d+$/.test(name))
    return existsSync(this.#metrics.path) || (existsSync(this.checkpoints) && hasSteps())
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
    await asPathError(`outputDir: ${this.path}`, async () => {
      await writeWhole(join(this.path, 'config.resolved.yaml'), stringify(args))
      await writeWhole(join(this.path, 'run.json'), jsonText(facts))
    })
    this.#facts = facts
  }

  /** Drops lines of steps after `step`: they were written by a process that died before its next checkpoint. Returns the kept ones. */
  async rewindMetrics(step: number): Promise<MetricsLine[]> {
    const { path } = this.#metrics
    return asPathError(`outputDir: ${path}`, async () => {
      if (!existsSync(path)) return []
      const kept: { text: string; line: MetricsLine }[] = []
      for await (const { bytes } of wholeLines(path)) {
        const text = bytes?.toString('utf8') ?? ''
        const line = parsed(text)
        if (line && Number(line.step ?? 0) <= step) kept.push({ text: `${text}\n`, line })
      }
      await writeWhole(path, kept.map(({ text }) => text).join(''))
      return kept.map(({ line }) => line)
    })
  }

  /** Adds to run.json, at the next {@link flush}, what has shown while the run went on. */
  addFacts(facts: Record<string, unknown>): void {
    const all = { ...this.#facts, ...facts }
    if (JSON.stringify(all) === JSON.stringify(this.#facts)) return
    this.#facts = all
    this.#owed.set('run.json', () => writeWhole(join(this.path, 'run.json'), jsonText(all)))
  }

  /** Adds a line to the metrics, at the next {@link flush}. */
  appendMetrics(line: Record<string, unknown>): void {
    this.#lines += jsonLines([line])
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

  async #appendLines(): Promise<void> {
    await this.#metrics.append(this.#lines)
    this.#lines = ''
  }

  #oweLines(folder: string, name: string, lines: readonly Record<string, unknown>[]): string {
    const file = join(this.path, folder, name)
    const text = jsonLines(lines)
    this.#owed.set(join(folder, name), async () => {
      const isNew = (await mkdir(dirname(file), { recursive: true })) !== undefined
      if (isNew) await syncFolder(this.path)
      await writeWhole(file, text)
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
