// What a user may say about a judge's endpoint, and the checks of it.
import * as http from 'node:http'
import * as https from 'node:https'
import { ColdstartError } from '../../errors.js'
import type { Endpoint } from './call.js'
import { secretOf } from './secret.js'

/** Calls that may be made without saying so. */
const UNANNOUNCED_CALLS = 1000
/** A timer of Node.js fires at once beyond this. */
const LONGEST_TIMER = 2 ** 31 - 1

/** How to reach a judge and how far to go. */
export interface OpenAiJudgeOptions {
  /** Address before `/chat/completions`: `https://api.openai.com/v1`. Not needed when `missing` forbids calls. */
  baseUrl?: string | undefined
  /** Model to ask for; part of every stored reply's key. */
  model: string
  /**
   * Environment variable that holds the key. Default: `COLDSTART_JUDGE_API_KEY`, then, for `https://api.openai.com` only,
   * `OPENAI_API_KEY`; without either no key is sent. A key is never an option, and never written anywhere.
   */
  apiKeyEnv?: string | undefined
  /** File of stored replies (`judge.jsonl`), read at the first question and appended to. Default: in memory only. */
  transcripts?: string | undefined
  /** A question without a stored reply is asked (`ask`, default), is `unjudged` (null), or throws `E_JUDGE` (`error`). */
  missing?: 'ask' | 'unjudged' | 'error' | undefined
  /** Calls at most, each try counted; required above 1,000. Reaching it throws `E_JUDGE`; what was judged stays stored. */
  maxCalls?: number | undefined
  /** Calls in flight. Default 8. */
  concurrency?: number | undefined
  /** Tries of a question. Default 4. */
  tries?: number | undefined
  /** For one try, from connecting to the last byte. Default 60,000. */
  timeoutMs?: number | undefined
  /** Largest body of an answer, in bytes. Default 8 MiB. */
  maxBodyBytes?: number | undefined
  /** Wait after a first failure; it doubles with each further one, and half of it is random. Default 1,000. */
  retryDelayMs?: number | undefined
  /** Longest wait between tries, also for a server's `Retry-After`. Default 60,000. */
  maxDelayMs?: number | undefined
  /** Questions that the endpoint fails in a row, each after all its tries, before it is given up with `E_JUDGE`. Default 8. */
  maxFailures?: number | undefined
}

/** The options with their defaults. */
export interface JudgeSettings {
  /** Undefined: only stored replies are used. */
  endpoint: Endpoint | undefined
  missing: 'ask' | 'unjudged' | 'error'
  concurrency: number
  tries: number
  maxCalls: number
  maxFailures: number
  retryDelayMs: number
  maxDelayMs: number
}

/** Throws `E_CONFIG` for what cannot work. */
export function settingsOf(options: OpenAiJudgeOptions): JudgeSettings {
  const missing = options.missing ?? 'ask'
  const concurrency = countOf(options.concurrency ?? 8, 'concurrency')
  return {
    endpoint: missing === 'ask' ? endpointOf(options, concurrency) : undefined,
    missing,
    concurrency,
    tries: countOf(options.tries ?? 4, 'tries'),
    maxCalls: countOf(options.maxCalls ?? UNANNOUNCED_CALLS, 'maxCalls'),
    maxFailures: countOf(options.maxFailures ?? 8, 'maxFailures'),
    retryDelayMs: countOf(options.retryDelayMs ?? 1000, 'retryDelayMs'),
    maxDelayMs: countOf(options.maxDelayMs ?? 60_000, 'maxDelayMs'),
  }
}

function endpointOf(options: OpenAiJudgeOptions, concurrency: number): Endpoint {
  const url = urlOf(options.baseUrl)
  const { Agent } = url.protocol === 'https:' ? https : http
  return {
    url,
    secret: secretOf(url, options.apiKeyEnv),
    agent: new Agent({ keepAlive: true, maxSockets: concurrency }),
    timeoutMs: countOf(options.timeoutMs ?? 60_000, 'timeoutMs'),
    maxBodyBytes: countOf(options.maxBodyBytes ?? 8 * 1024 * 1024, 'maxBodyBytes'),
  }
}

function urlOf(baseUrl: string | undefined): URL {
  const url = baseUrl !== undefined && URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  // What is wrong is not repeated: a user or a query is where people put keys.
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new ColdstartError('E_CONFIG', "the judge's baseUrl must be http or https, without user, query or fragment", {
      hint: 'for example https://api.openai.com/v1, or http://127.0.0.1:8000/v1',
    })
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  return url
}

function countOf(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= LONGEST_TIMER) return value
  throw new ColdstartError('E_CONFIG', `the judge's ${name} is a whole number from 1 to ${LONGEST_TIMER}; got ${value}`)
}
