// A judge behind an OpenAI-compatible endpoint: few calls at a time, retries, a cap on cost, and every reply stored before it is used.
import { setTimeout as sleep } from 'node:timers/promises'
import { ColdstartError } from '../../errors.js'
import { Slots } from '../../processor/slots.js'
import type { AskOptions, Judge } from '../types.js'
import { backoffMs } from './backoff.js'
import { call, type Endpoint, type Failure, type Reply } from './call.js'
import { type JudgeSettings, type OpenAiJudgeOptions, settingsOf } from './options.js'
import { SharedWork } from './shared-work.js'
import { type JudgeRequest, keyOf, Transcripts } from './transcripts.js'

/** What asking came to so far. */
export interface JudgeStats {
  /** Calls to the endpoint, each try counted. */
  calls: number
  /** Questions answered from stored replies. */
  stored: number
  /** Questions that the endpoint answered. */
  answered: number
  /** Questions without a usable answer. */
  unjudged: number
  /** Why the last of them has none. */
  lastFailure: string | null
  /** Tokens as the endpoint counted them; 0 where it does not. */
  promptTokens: number
  completionTokens: number
  /** Models that the endpoint said it used, in the order they first appeared. */
  served: string[]
}

/** A judge that holds a file and connections. */
export interface OpenAiJudge extends Judge {
  readonly stats: Readonly<JudgeStats>
  /**
   * Begins nothing new, waits for calls under way, each to its reply or its deadline, and for their replies being stored, then closes
   * file and connections. `ask` then throws `E_CLOSED`.
   */
  close(): Promise<void>
}

/**
 * ```ts
 * const judge = openAiJudge({ baseUrl: 'http://127.0.0.1:8000/v1', model: 'Qwen2.5-32B-Instruct', transcripts: 'judge.jsonl' })
 * const reply = await judge.ask('Is 0.5 one half? Answer Yes or No.', { temperature: 0, maxTokens: 16 })
 * await judge.close()
 * ```
 *
 * `ask` resolves with null when this question got no usable answer: its tries are used up, or the endpoint refused it. It rejects with
 * `E_JUDGE` when no question will get one: wrong key, model or address, a redirect, the cap on calls, too many failures in a row. Run
 * again with the same `transcripts`, it asks only what has no reply yet. An abort rejects with the signal's reason; a call under way is
 * paid for, so its reply is stored all the same, and {@link OpenAiJudge.close} waits for it.
 *
 * @throws ColdstartError `E_CONFIG` for an address with user, query or fragment, a variable that is not set, or a count below 1;
 * from `ask` also `E_DATA_FORMAT` and `E_PATH` for a transcript file that cannot be read or written.
 */
export function openAiJudge(options: OpenAiJudgeOptions): OpenAiJudge {
  return new EndpointJudge(options)
}

class EndpointJudge implements OpenAiJudge {
  readonly name: string
  readonly stats: JudgeStats = {
    calls: 0,
    stored: 0,
    answered: 0,
    unjudged: 0,
    lastFailure: null,
    promptTokens: 0,
    completionTokens: 0,
    served: [],
  }
  readonly #settings: JudgeSettings
  readonly #transcripts: Transcripts
  readonly #slots: Slots
  readonly #underWay = new SharedWork<string | null>()
  /** Why no further call is made. */
  #stopped: ColdstartError | undefined
  #closed = false
  #failures = 0
  /** Before this time (of `performance.now`) no call is made: the server asked for a pause. */
  #notBefore = 0

  constructor(options: OpenAiJudgeOptions) {
    this.name = options.model
    this.#settings = settingsOf(options)
    this.#transcripts = new Transcripts(options.transcripts)
    this.#slots = new Slots(this.#settings.concurrency)
  }

  async ask(prompt: string, { temperature, maxTokens, attempt = 0, signal }: AskOptions): Promise<string | null> {
    signal?.throwIfAborted()
    await this.#transcripts.load()
    if (this.#closed) throw closed()
    const request: JudgeRequest = { model: this.name, prompt, temperature, maxTokens, attempt }
    const key = keyOf(request)
    const stored = this.#transcripts.get(key)
    if (stored !== undefined) {
      this.stats.stored += 1
      return stored
    }
    const { endpoint } = this.#settings
    if (endpoint === undefined) return this.#withoutCalls()
    return this.#underWay.join(key, (cancel) => this.#answer(endpoint, request, cancel), signal)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#underWay.end(closed())
    this.#settings.endpoint?.agent.destroy()
    await this.#transcripts.close()
  }

  #withoutCalls(): null {
    this.stats.unjudged += 1
    this.stats.lastFailure = 'no reply is stored'
    if (this.#settings.missing === 'unjudged') return null
    throw new ColdstartError(
      'E_JUDGE',
      `no reply of ${this.name} to this question is stored, and none may be asked for`,
      {
        hint: 'score with an endpoint first, or let missing replies count as unjudged',
      },
    )
  }

  async #answer(endpoint: Endpoint, request: JudgeRequest, signal: AbortSignal): Promise<string | null> {
    // The place is kept between tries: a server in trouble gets fewer questions, not others instead.
    await this.#slots.take(signal)
    try {
      const outcome = await this.#try(endpoint, request, signal)
      return outcome.kind === 'reply' ? await this.#keep(request, outcome) : this.#giveUp(outcome)
    } finally {
      this.#slots.giveBack()
    }
  }

  /** Calls until there is a reply or no hope of one. */
  async #try(endpoint: Endpoint, request: JudgeRequest, signal: AbortSignal): Promise<Reply | Failure> {
    const { tries, maxDelayMs } = this.#settings
    const payload = {
      model: request.model,
      messages: [{ role: 'user', content: request.prompt }],
      temperature: request.temperature,
      ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
    }
    for (let failures = 1; ; failures++) {
      await this.#pause(signal)
      this.#countCall()
      const outcome = await call(endpoint, payload)
      if (outcome.kind === 'hopeless') throw this.#stop(outcome.why, outcome.hint)
      if (outcome.kind === 'reply') return outcome
      if (outcome.afterMs !== undefined) {
        this.#notBefore = Math.max(this.#notBefore, performance.now() + Math.min(outcome.afterMs, maxDelayMs))
      }
      if (!outcome.again || failures === tries) return outcome
      await sleepUnlessAborted(backoffMs(failures, this.#settings), signal)
    }
  }

  async #keep(request: JudgeRequest, { text, served, promptTokens, completionTokens }: Reply): Promise<string> {
    this.#failures = 0
    this.stats.answered += 1
    this.stats.promptTokens += promptTokens
    this.stats.completionTokens += completionTokens
    if (served !== undefined && !this.stats.served.includes(served)) this.stats.served.push(served)
    await this.#transcripts.add(request, text, served)
    return text
  }

  #giveUp({ about, why }: Failure): null {
    this.stats.unjudged += 1
    this.stats.lastFailure = why
    // Once this judge answered anything, a refused question is that question's fault. Before, all of them may be asked the wrong way.
    // Replies of other judges in the same file say nothing about it.
    if (about === 'endpoint' || this.stats.answered + this.stats.stored === 0) this.#failures += 1
    if (this.#failures < this.#settings.maxFailures) return null
    throw this.#stop(
      `no answer to ${this.#failures} questions in a row; the last: ${why}`,
      'see what the endpoint says',
    )
  }

  /** Waits as long as the server asked for, whichever question was told. */
  async #pause(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#stopped) throw this.#stopped
      const left = this.#notBefore - performance.now()
      if (left <= 0) return
      await sleepUnlessAborted(Math.ceil(left), signal)
    }
  }

  #countCall(): void {
    const { maxCalls } = this.#settings
    if (this.stats.calls >= maxCalls) {
      throw this.#stop(
        `${maxCalls} calls were made, as many as are allowed to one command`,
        'allow more with --judge-max-calls (maxCalls); every command counts its own calls',
      )
    }
    this.stats.calls += 1
  }

  /** Ends all asking; stored replies can still be had. */
  #stop(why: string, hint: string): ColdstartError {
    const where = this.#settings.endpoint?.url.origin
    this.#stopped ??= new ColdstartError('E_JUDGE', `the judge ${this.name} at ${where}: ${why}`, {
      hint: `${hint}; the same command goes on where this one ended: what has a stored reply is not asked again`,
    })
    return this.#stopped
  }
}

const closed = (): ColdstartError => new ColdstartError('E_CLOSED', 'the judge is closed')

async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    throw signal.reason
  }
}
