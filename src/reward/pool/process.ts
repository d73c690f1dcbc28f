// One reward process as the main process sees it: started, asked one batch at a time, and killed when anything is odd.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { ColdstartError } from '../../errors.js'
import type { Judgement, RewardBatch } from '../types.js'
import { rewardEnvironment } from './environment.js'
import { channelFd, framed, maxAnswerBytes, maxRequestBytes, type Reply, type RunnerOptions } from './protocol.js'

// The compiled file, also when this one runs from src, which lies as deep: Node starts no TypeScript.
const runner = fileURLToPath(new URL('../../../dist/reward/pool/runner.js', import.meta.url))

/** Time for a module to load. */
const loadMs = 30_000

/** What is kept of a process's last words: V8 says what killed it, then a page of addresses. */
const tailCharacters = 4000

/** What a process starts with. */
export interface ProcessOptions extends RunnerOptions {
  /** Time in ms after which a call's process is killed. */
  hardMs: number
  /** Limit of V8's heap in MiB. */
  memoryMb: number
  /** Environment variables that it gets besides the usual ones. */
  env: readonly string[]
}

/** What keeps the event loop running while it is referenced: a process, a pipe. */
interface Handle {
  ref(): unknown
  unref(): unknown
}

/** Why a call has no answer. */
export class CallFault extends Error {
  constructor(
    message: string,
    /** Whether time was the reason. */
    readonly isLate: boolean,
  ) {
    super(message)
  }
}

/** A child process that has loaded the module of a reward. */
export class RewardProcess {
  readonly #options: ProcessOptions
  readonly #child: ChildProcess
  readonly #channel: Duplex
  readonly #handles: readonly Handle[]
  #answer = ''
  #printed = 0
  #tail = ''
  #waiting: { resolve: (reply: Reply) => void; reject: (fault: CallFault) => void } | undefined
  #fault: CallFault | undefined

  private constructor(options: ProcessOptions) {
    this.#options = options
    const { path, name, softMs, maxResidentBytes, memoryMb } = options
    const argument: RunnerOptions = { path, softMs, maxResidentBytes, ...(name === undefined ? {} : { name }) }
    this.#child = spawn(process.execPath, [`--max-old-space-size=${memoryMb}`, runner, JSON.stringify(argument)], {
      env: rewardEnvironment(process.env, options.env),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A group of its own: killed as a whole, and out of reach of a terminal's Ctrl-C, which is for the run to obey.
      detached: true,
    })
    const { stdout, stderr } = this.#child as ChildProcess & { stdout: Readable; stderr: Readable }
    this.#channel = this.#child.stdio[channelFd] as Duplex
    this.#handles = [this.#child, stdout, stderr, this.#channel] as unknown as Handle[]
    for (const stream of [stdout, stderr]) stream.setEncoding('utf8').on('data', (text: string) => this.#print(text))
    this.#channel.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    // A broken pipe is told by the end of the process.
    for (const stream of [stdout, stderr, this.#channel]) stream.on('error', () => undefined)
    this.#child.on('error', (error) => this.#fail(`cannot start a process: ${error.message}`))
    // Close, not exit: what it printed last says why it ended.
    this.#child.on('close', (code, signal) => this.#fail(`its process ended (${signal ?? `exit code ${code}`})`))
  }

  /**
   * Starts a process; resolves when it has loaded the module, with the name of the function.
   *
   * @throws ColdstartError `E_CONFIG` for a missing export, `E_REWARD` for a module that does not load.
   */
  static async start(options: ProcessOptions): Promise<{ started: RewardProcess; name: string }> {
    const started = new RewardProcess(options)
    try {
      const reply = await started.#reply(loadMs)
      if ('ready' in reply) return { started, name: reply.ready.name }
      if (!('refused' in reply)) throw new CallFault('its process does not speak the protocol', false)
      const { code, message, hint } = reply.refused
      throw new ColdstartError(code, message, { hint })
    } catch (error) {
      started.kill()
      if (!(error instanceof CallFault)) throw error
      throw new ColdstartError('E_REWARD', `${options.path} cannot be loaded: ${error.message}`, { cause: error })
    }
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.#fault === undefined
  }

  /** Judges one batch. Rejects with {@link CallFault}; unless the batch could not be sent, the process is gone then. */
  async ask(batch: Omit<RewardBatch, 'signal'>): Promise<Judgement> {
    const bytes = serialized(batch)
    this.#printed = 0
    for (const piece of framed(bytes)) this.#channel.write(piece)
    const reply = await this.#reply(this.#options.hardMs)
    if ('judgement' in reply && isJudgement(reply.judgement, batch.completions.length)) return reply.judgement
    throw this.#fail('its process answered with something else')
  }

  /** Ends the process and everything it started, at once. */
  kill(): void {
    this.#fail('its process was stopped')
  }

  /** Resolves when nothing is left of the process. */
  async ended(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      // Otherwise waiting would not keep a program running that has nothing else to do.
      this.#child.ref()
      await once(this.#child, 'exit')
    }
  }

  /** The next reply. Only meanwhile does the process keep ours from ending. */
  async #reply(limitMs: number): Promise<Reply> {
    if (this.#fault) throw this.#fault
    for (const handle of this.#handles) handle.ref()
    // An answer that has arrived while this process was busy is read before the process is called late.
    const late = () => setImmediate(() => this.#waiting && this.#fail(`no answer within ${limitMs} ms`, true))
    const timer = setTimeout(late, limitMs)
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject }
      })
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
      for (const handle of this.#handles) handle.unref()
    }
  }

  #hear(text: string): void {
    this.#answer += text
    if (this.#answer.length > maxAnswerBytes) {
      this.#fail(`answered with more than ${maxAnswerBytes} bytes`)
      return
    }
    const end = this.#answer.indexOf('\n')
    if (end < 0) return
    const line = this.#answer.slice(0, end)
    this.#answer = this.#answer.slice(end + 1)
    try {
      this.#waiting?.resolve(JSON.parse(line) as Reply)
    } catch {
      this.#fail('its process answered with something else')
    }
  }

  #print(text: string): void {
    this.#printed += text.length
    this.#tail = (this.#tail + text).slice(-tailCharacters)
    if (this.#printed > maxAnswerBytes) this.#fail(`printed more than ${maxAnswerBytes} bytes in one call`)
  }

  /** Kills the process; the call in flight, if any, ends with the reason. The first reason stays. */
  #fail(message: string, isLate = false): CallFault {
    if (this.#fault) return this.#fault
    const said = isLate ? '' : tellingLine(this.#tail)
    this.#fault = new CallFault(said === '' ? message : `${message}: ${said}`, isLate)
    this.#answer = ''
    this.#waiting?.reject(this.#fault)
    const { pid } = this.#child
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
    this.#channel.destroy()
    return this.#fault
  }
}

/** The line of a text that speaks of an error, else its last one. */
function tellingLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const telling = lines.findLast((line) => /error:/i.test(line)) ?? lines.at(-1) ?? ''
  return telling.trim().slice(0, 200)
}

/** The batch as bytes. What cannot be sent is a fault of the row, not of the process. */
function serialized(batch: Omit<RewardBatch, 'signal'>): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = serialize(batch)
  } catch (error) {
    throw new CallFault(`a row cannot be sent to another process: ${(error as Error).message}`, false)
  }
  if (bytes.length > maxRequestBytes) {
    throw new CallFault(`a row of ${bytes.length} bytes with its images; at most ${maxRequestBytes} are sent`, false)
  }
  return bytes
}

function isJudgement(value: Judgement, n: number): boolean {
  const isReward = (reward: unknown) => reward === null || (typeof reward === 'number' && Number.isFinite(reward))
  return (
    Array.isArray(value?.values) &&
    value.values.length === n &&
    value.values.every(isReward) &&
    Array.isArray(value.failed) &&
    value.failed.length === n &&
    Array.isArray(value.messages)
  )
}
