// A reward that lives in a module of the user's and runs in processes of its own, where nothing it does can stall the run.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, extname, resolve } from 'node:path'
import { ColdstartError } from '../../errors.js'
import { failure } from '../call.js'
import { groupsOf } from '../length.js'
import { named, withTraits } from '../traits.js'
import type { Judgement, RewardBatch, RewardFunc } from '../types.js'
import { CallFault, type ProcessOptions, RewardProcess } from './process.js'

/** Limits of a module's processes. */
export interface ModuleRewardOptions {
  /** Time in ms after which the signal of a call fires, so that it can end with what it has. Default 1000. */
  softMs?: number | undefined
  /** Time in ms after which the process of a call is killed. Default 5000. */
  hardMs?: number | undefined
  /** Processes at most. Default: one a core, at most 4. */
  processes?: number | undefined
  /** Heap of a process in MiB; it may be resident in 256 MiB more. Default 256. */
  memoryMb?: number | undefined
  /** Environment variables that the module gets besides the usual ones (`PATH`, `HOME`, `LANG`, …), such as a key it needs. */
  env?: readonly string[] | undefined
}

/** A reward from a module. It holds processes until it is closed; idle, they keep no program from ending. */
export interface ModuleReward extends RewardFunc, AsyncDisposable {
  /** Ends its processes, at once also those that are in a call. Calls after it fail with `E_CLOSED`. */
  close(): Promise<void>
}

/** What a call may take where the options do not say: {@link ModuleRewardOptions}. */
export const defaultLimits = { softMs: 1000, hardMs: 5000, memoryMb: 256 } as const

/** Memory that Node and buffers outside V8's heap may take. */
const besidesHeap = 256 * 1024 * 1024

/**
 * Takes a reward function from a JavaScript module: its default export, its only function, or the one named in
 * `module.js#name`. A relative path starts at the working directory.
 *
 * The module runs in child processes without the secrets of this one's environment. It is called once for each prompt, with
 * all its completions. A call that throws, hangs, spins, exits, answers with junk or takes too much memory costs the rewards
 * of that prompt, which are counted; its process is killed and replaced. What it prints goes nowhere, except into the warning
 * about its end. Rows are sent as structured clones, encoded images among them.
 *
 * ```ts
 * await using brevity = await rewardFromModule('rewards.js#brevity')
 * await new GRPOTrainer({ model, rewardFuncs: [accuracyReward(), brevity], trainDataset }).train()
 * ```
 *
 * @throws ColdstartError `E_CONFIG` for a module without such an export or options that make no sense, `E_PATH` for one that is
 * not there, `E_REWARD` for one that does not load.
 */
export async function rewardFromModule(module: string, options: ModuleRewardOptions = {}): Promise<ModuleReward> {
  const [path = '', exported] = module.split('#', 2)
  const {
    softMs = defaultLimits.softMs,
    hardMs = defaultLimits.hardMs,
    memoryMb = defaultLimits.memoryMb,
    env = [],
  } = options
  const processes = options.processes ?? Math.min(4, availableParallelism())
  for (const [name, value] of Object.entries({ softMs, hardMs, memoryMb, processes })) {
    if (!(value >= 1)) throw new ColdstartError('E_CONFIG', `${name}: expected at least 1, got ${value}`)
  }
  if (!existsSync(path)) throw new ColdstartError('E_PATH', `${path}: no such file, for the reward ${module}`)
  const pool = new Pool(processes, {
    path: resolve(path),
    ...(exported === undefined ? {} : { name: exported }),
    softMs,
    hardMs,
    memoryMb,
    maxResidentBytes: memoryMb * 1024 * 1024 + besidesHeap,
    env,
  })
  const found = await pool.open()
  const name = exported ?? (found === '' || found === 'default' ? basename(path, extname(path)) : found)
  const judge = (batch: RewardBatch) => pool.judge(batch)
  const reward = withTraits(
    named(name, async (batch: RewardBatch) => (await judge(batch)).values),
    { judge },
  )
  const close = () => pool.close()
  return Object.assign(reward, { close, [Symbol.asyncDispose]: close })
}

/** Processes with one module; each is asked about one prompt at a time. */
class Pool {
  readonly #size: number
  readonly #options: ProcessOptions
  readonly #idle: RewardProcess[] = []
  readonly #all = new Set<RewardProcess>()
  #isClosed = false

  constructor(size: number, options: ProcessOptions) {
    this.#size = size
    this.#options = options
  }

  /** Starts the first process; resolves to the name of the function. */
  async open(): Promise<string> {
    const { started, name } = await this.#start()
    this.#idle.push(started)
    return name
  }

  async judge(batch: RewardBatch): Promise<Judgement> {
    if (this.#isClosed) throw new ColdstartError('E_CLOSED', 'this reward was closed')
    const groups = groupsOf(batch.rows)
    const judgements: Judgement[] = []
    let next = 0
    const lane = async () => {
      while (next < groups.length) {
        const index = next++
        const [first, end] = groups[index] as [number, number]
        judgements[index] = batch.signal.aborted
          ? failure(end - first, true, 'no time was left')
          : await this.#ask(part(batch, first, end), batch.signal)
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#size, groups.length) }, lane))
    return joined(judgements)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const all = [...this.#all]
    for (const one of all) one.kill()
    await Promise.all(all.map((one) => one.ended()))
  }

  async #ask(batch: Omit<RewardBatch, 'signal'>, signal: AbortSignal): Promise<Judgement> {
    let asked: RewardProcess | undefined
    const stop = () => asked?.kill()
    signal.addEventListener('abort', stop, { once: true })
    try {
      asked = this.#take() ?? (await this.#start()).started
      signal.throwIfAborted()
      return await asked.ask(batch)
    } catch (error) {
      const isLate = signal.aborted || (error instanceof CallFault && error.isLate)
      return failure(batch.completions.length, isLate, error instanceof Error ? error.message : typeof error)
    } finally {
      signal.removeEventListener('abort', stop)
      if (asked?.isAlive) this.#idle.push(asked)
      else if (asked) this.#all.delete(asked)
    }
  }

  #take(): RewardProcess | undefined {
    let one = this.#idle.pop()
    while (one && !one.isAlive) {
      this.#all.delete(one)
      one = this.#idle.pop()
    }
    return one
  }

  async #start(): Promise<{ started: RewardProcess; name: string }> {
    const result = await RewardProcess.start(this.#options)
    this.#all.add(result.started)
    if (this.#isClosed) result.started.kill()
    return result
  }
}

/** Completions `first` to `end` of a batch. */
function part(batch: RewardBatch, first: number, end: number): Omit<RewardBatch, 'signal'> {
  const { signal, step, ...arrays } = batch
  const parts = Object.entries(arrays).map(([name, values]) => [name, values.slice(first, end)])
  return { ...(Object.fromEntries(parts) as Omit<RewardBatch, 'signal' | 'step'>), step }
}

function joined(parts: readonly Judgement[]): Judgement {
  const messages = new Set(parts.flatMap((judgement) => judgement.messages))
  return {
    values: parts.flatMap(({ values }) => values),
    failed: parts.flatMap(({ failed }) => failed),
    errors: parts.reduce((sum, { errors }) => sum + errors, 0),
    timeouts: parts.reduce((sum, { timeouts }) => sum + timeouts, 0),
    // Most faults of a step are the same one.
    messages: [...messages].slice(0, 3),
  }
}
