// One POST to an endpoint: a deadline that covers the last byte, a cap on the body, no redirects. What came back is sorted by what to do next.
//
// node:http rather than fetch: it follows no redirect, decompresses nothing (a small body cannot grow behind the cap), refuses no
// port, and destroying the request ends a slow body at once.
import * as http from 'node:http'
import * as https from 'node:https'
import { retryAfterMs } from './backoff.js'
import type { Secret } from './secret.js'

/** What a call came to. */
export type Outcome = Reply | Failure | Hopeless

/** The judge's answer, with its key taken out should the server repeat it. */
export interface Reply {
  kind: 'reply'
  text: string
  /** Model that the server says it used. */
  served?: string
  promptTokens: number
  completionTokens: number
}

/** No answer this time. */
export interface Failure {
  kind: 'failure'
  /** Whether another try may go better. */
  again: boolean
  /** Whose fault: the endpoint gave no proper answer, or a proper one that this question is not answered. */
  about: 'endpoint' | 'question'
  /** Safe to show. */
  why: string
  /** Milliseconds that the server wants to be left alone for. */
  afterMs?: number
}

/** No question will be answered. */
export interface Hopeless {
  kind: 'hopeless'
  /** Safe to show. */
  why: string
  hint: string
}

/** Where and how to call. */
export interface Endpoint {
  /** Of `chat/completions`. */
  url: URL
  secret: Secret
  agent: http.Agent
  /** For the whole call, body included. */
  timeoutMs: number
  maxBodyBytes: number
}

/** Sends `payload` once, and rejects never. Nothing but the deadline ends a call: what was sent is paid for, answered or not. */
export async function call(endpoint: Endpoint, payload: unknown): Promise<Outcome> {
  const stop = new AbortController()
  let late = false
  const timer = setTimeout(() => {
    late = true
    stop.abort()
  }, endpoint.timeoutMs)
  try {
    const response = await send(endpoint, JSON.stringify(payload), stop.signal)
    return outcomeOf(response, await bodyOf(response, endpoint.maxBodyBytes), endpoint)
  } catch (error) {
    if (late) return trouble(`no complete answer within ${endpoint.timeoutMs / 1000} s`)
    if (error instanceof TooLarge) return trouble(`an answer of more than ${endpoint.maxBodyBytes} bytes`)
    // The code only: the error of a broken answer holds its bytes, and a server may repeat what it was sent.
    return trouble(`the connection failed (${(error as NodeJS.ErrnoException).code ?? 'no code'})`)
  } finally {
    clearTimeout(timer)
  }
}

function send({ url, secret, agent }: Endpoint, body: string, signal: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http
    const headers = { 'content-type': 'application/json', accept: 'application/json', ...secret.headers() }
    request(url, { method: 'POST', headers, agent, signal })
      .on('response', resolve)
      // Stays in place after the answer has begun: then the body's reader gets the error too.
      .on('error', reject)
      .end(body)
  })
}

class TooLarge extends Error {}

async function bodyOf(response: http.IncomingMessage, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > limit) throw new TooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces, size)
}

function outcomeOf(response: http.IncomingMessage, body: Buffer, { url, secret }: Endpoint): Outcome {
  const status = response.statusCode ?? 0
  const answer = jsonOf(body)
  if (status === 200) return replyOf(answer, secret)
  const why = `HTTP ${status}${saidBy(answer, secret)}`
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
    const afterMs = retryAfterMs(response.headers['retry-after'], Date.now())
    return { ...trouble(why), ...(afterMs === undefined ? {} : { afterMs }) }
  }
  if (status >= 300 && status < 400) {
    // Followed nowhere, not even to the same origin: the key and the questions go where the configuration says.
    return {
      kind: 'hopeless',
      why: `HTTP ${status}, a redirect to ${originOf(response.headers.location, url)}`,
      hint: 'give the final address as baseUrl; redirects are not followed',
    }
  }
  if (status === 401 || status === 403) {
    const hint = secret.present
      ? `check the key in ${secret.variable}`
      : `the endpoint wants a key: put it in ${secret.variable}`
    return { kind: 'hopeless', why, hint }
  }
  if (status === 402) return { kind: 'hopeless', why, hint: 'the account behind the key has no credit' }
  if (status === 404 || status === 405 || status === 410) {
    return { kind: 'hopeless', why, hint: `check baseUrl (called: ${url.href}) and model` }
  }
  return { kind: 'failure', again: false, about: 'question', why }
}

function replyOf(answer: unknown, secret: Secret): Outcome {
  if (answer === undefined) return trouble('an answer that is not JSON')
  const { choices, model, usage } = objectOf(answer)
  const choice = Array.isArray(choices) ? (choices[0] as unknown) : undefined
  const text = objectOf(objectOf(choice).message).content
  if (typeof text !== 'string') {
    const failure = trouble(`an answer without choices[0].message.content${saidBy(answer, secret)}`)
    return choice === undefined ? failure : { ...failure, about: 'question' }
  }
  const { prompt_tokens, completion_tokens } = objectOf(usage)
  return {
    kind: 'reply',
    text: secret.removedFrom(text),
    ...(typeof model === 'string' ? { served: secret.quoted(model) } : {}),
    promptTokens: countOf(prompt_tokens),
    completionTokens: countOf(completion_tokens),
  }
}

const trouble = (why: string): Failure => ({ kind: 'failure', again: true, about: 'endpoint', why })

/** The body as JSON in UTF-8, whatever content type it came with; undefined if it is not. */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}

/** `: "…"` with the server's own words, where it has any. */
function saidBy(answer: unknown, secret: Secret): string {
  const { error, message } = objectOf(answer)
  const words = typeof error === 'string' ? error : (objectOf(error).message ?? message)
  return typeof words === 'string' ? `: "${secret.quoted(words)}"` : ''
}

function originOf(location: string | undefined, base: URL): string {
  return location !== undefined && URL.canParse(location, base.href) ? new URL(location, base).origin : 'no address'
}

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
const countOf = (value: unknown): number => (Number.isSafeInteger(value) ? Math.max(0, value as number) : 0)
