// A page in a real browser, driven over the debugging pipe: what a parser promises, a browser can deny.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'

/** The browser, if there is one. */
export const chromium = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .filter((path) => existsSync(path)),
)[0]

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
]

interface Message {
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}

/** A file opened in a browser of its own. */
export class BrowserPage {
  /** Addresses that the page asked for after itself. */
  readonly requests: string[] = []
  /** Messages of the console and the policy. */
  readonly complaints: string[] = []
  readonly #waiting = new Map<number, { resolve: (m: Message) => void; reject: (e: Error) => void }>()
  readonly #child: ChildProcess
  readonly #profile: string
  #session: string | undefined
  #sent = 0
  #loaded: () => void = () => {}

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child
    this.#profile = profile
    let text = ''
    ;(child.stdio[4] as Readable).setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      const messages = text.split('\0')
      text = messages.pop() ?? ''
      for (const message of messages) this.#receive(JSON.parse(message) as Message)
    })
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser ended'))
    })
  }

  static async open(file: string): Promise<BrowserPage> {
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
    const child = spawn(chromium ?? 'chromium', [...FLAGS, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const page = new BrowserPage(child, profile)
    const { targetId } = await page.send('Target.createTarget', { url: 'about:blank' })
    page.#session = (await page.send('Target.attachToTarget', { targetId, flatten: true })).sessionId as string
    for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await page.send(`${domain}.enable`)
    const loaded = new Promise<void>((resolve) => {
      page.#loaded = resolve
    })
    await page.send('Page.navigate', { url: pathToFileURL(file).href })
    await loaded
    return page
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
    return (result as { value: T }).value
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#sent
    const session = this.#session === undefined ? {} : { sessionId: this.#session }
    ;(this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: ({ result }) => resolve(result ?? {}), reject })
    })
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  #receive({ id, method, params = {}, result, error }: Message): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id)
    if (id !== undefined) this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(error.message))
    else waiting?.resolve({ result: result ?? {} })
    if (method === 'Page.loadEventFired') this.#loaded()
    if (method === 'Network.requestWillBeSent') {
      const { url } = params.request as { url: string }
      if (!url.startsWith('data:')) this.requests.push(url)
    }
    if (method === 'Log.entryAdded') this.complaints.push((params.entry as { text: string }).text)
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params))
  }
}
