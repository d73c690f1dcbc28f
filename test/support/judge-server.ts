// An OpenAI-compatible endpoint on loopback that answers, or misbehaves on purpose, as each test says.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it arrived. */
export interface Asked {
  method: string
  path: string
  headers: Record<string, string | string[] | undefined>
  body: { model?: string; messages?: { role: string; content: string }[]; temperature?: number; max_tokens?: number }
  /** Content of the first message. */
  prompt: string
  /** Milliseconds, of `performance.now`. */
  at: number
}

/** What becomes of one request. */
export type Behaviour = (response: ServerResponse, asked: Asked) => void

export interface JudgeServer {
  baseUrl: string
  asked: Asked[]
  /** Requests answered neither well nor badly yet. */
  inFlight: number
  mostInFlight: number
  /** Connections that the client ended before its answer was complete. */
  abandoned: number
  close(): Promise<void>
}

/** `behave` chooses for each request, counted from 0. */
export async function judgeServer(behave: (asked: Asked, index: number) => Behaviour): Promise<JudgeServer> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    state.inFlight += 1
    state.mostInFlight = Math.max(state.mostInFlight, state.inFlight)
    response.on('close', () => {
      state.inFlight -= 1
      if (!response.writableFinished) state.abandoned += 1
    })
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('error', () => {})
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Asked['body']
      const asked: Asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        prompt: body.messages?.[0]?.content ?? '',
        at: performance.now(),
      }
      state.asked.push(asked)
      behave(asked, state.asked.length - 1)(response, asked)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const state: JudgeServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: [],
    inFlight: 0,
    mostInFlight: 0,
    abandoned: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return state
}

const completion = (content: unknown, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ choices: [{ message: { role: 'assistant', content } }], ...more })

/** A proper answer; `more` are further fields of it. */
export const says =
  (content: unknown, more?: Record<string, unknown>): Behaviour =>
  (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion(content, more))

/** A proper answer after a while. */
export const saysAfter =
  (ms: number, content: string): Behaviour =>
  (response, asked) =>
    void setTimeout(() => says(content)(response, asked), ms)

/** A promise, and what fulfils it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** A proper answer once something has happened. */
export const saysWhen =
  (happened: Promise<void>, content: string): Behaviour =>
  (response, asked) =>
    void happened.then(() => says(content)(response, asked))

/** Any status, headers and body. */
export const answers =
  (status: number, body: string, headers: Record<string, string> = {}): Behaviour =>
  (response) =>
    response.writeHead(status, headers).end(body)

/** Takes the request and never says a word. */
export const hangs = (): Behaviour => () => {}

/** Sends headers, then a byte now and then, without end. */
export const drips =
  (everyMs: number): Behaviour =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), everyMs)
    response.on('close', () => clearInterval(timer))
  }

/** A body as long as the client reads, without a length. */
export const floods = (): Behaviour => (response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const piece = Buffer.alloc(64 * 1024, ' ')
  const pour = (): void => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', pour)
  pour()
}

/** Closes the connection before any answer, with a reset. */
export const resets = (): Behaviour => (response) => void response.socket?.resetAndDestroy()

/** Promises a whole answer and closes in the middle of it. */
export const breaksOff = (): Behaviour => (response) => {
  const text = completion('Yes')
  response.writeHead(200, { 'content-length': String(text.length) })
  response.write(text.slice(0, 20), () => response.socket?.destroy())
}
