// What a judge said, by a hash of what it was asked: a file that only grows, so that scoring resumes and repeats without asking again.
import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { readLines } from '../../data/lines.js'
import { ColdstartError } from '../../errors.js'

/** Everything a reply may depend on. */
export interface JudgeRequest {
  model: string
  prompt: string
  temperature: number
  maxTokens: number | undefined
  attempt: number
}

/** A line of the file. The prompt is left out: it follows from the rows, and would make the file as large as they are. */
interface Transcript {
  key: string
  model: string
  temperature: number
  max_tokens: number | null
  attempt: number
  reply: string
  /** Model the endpoint said it used, where it did. */
  served?: string
}

/** sha256 of the request as JSON without spaces, its keys in alphabetical order. */
export function keyOf({ attempt, maxTokens, model, prompt, temperature }: JudgeRequest): string {
  const canonical = JSON.stringify({ attempt, max_tokens: maxTokens ?? null, model, prompt, temperature })
  return createHash('sha256').update(canonical).digest('hex')
}

/** Replies in memory, and in a file if there is one. The file is opened for writing at the first new reply only. */
export class Transcripts {
  readonly #path: string | undefined
  readonly #replies = new Map<string, string>()
  #loaded: Promise<void> | undefined
  /** Bytes of whole lines, where a part of one follows them that a killed process left. */
  #cutAt: number | undefined
  #file: Promise<FileHandle> | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string | undefined) {
    this.#path = path
  }

  /** Reads the file once. Throws `E_DATA_FORMAT` naming the line that is no transcript. */
  load(): Promise<void> {
    this.#loaded ??= this.#path === undefined ? Promise.resolve() : this.#read(this.#path)
    return this.#loaded
  }

  /** The reply stored under a key; call {@link load} first. */
  get(key: string): string | undefined {
    return this.#replies.get(key)
  }

  /** Stores a reply; resolves when its line is on the disk. Throws `E_PATH` when it cannot be written. */
  async add(request: JudgeRequest, reply: string, served: string | undefined): Promise<void> {
    const { model, temperature, maxTokens, attempt } = request
    const transcript: Transcript = {
      key: keyOf(request),
      model,
      temperature,
      max_tokens: maxTokens ?? null,
      attempt,
      reply,
      ...(served === undefined ? {} : { served }),
    }
    if (this.#path !== undefined) {
      const path = this.#path
      // After a line that failed half way nothing may follow it, so a failure of one is the failure of all that come later.
      this.#writing = this.#writing.then(() => this.#append(path, `${JSON.stringify(transcript)}\n`))
      this.#writing.catch(() => {})
      await this.#writing
    }
    this.#replies.set(transcript.key, reply)
  }

  /** Waits for lines being written and closes the file. */
  async close(): Promise<void> {
    await this.#writing.catch(() => {})
    const file = this.#file
    this.#file = undefined
    await file?.then(
      (handle) => handle.close(),
      () => {},
    )
  }

  async #append(path: string, line: string): Promise<void> {
    try {
      this.#file ??= this.#open(path)
      const file = await this.#file
      await file.appendFile(line)
      await file.datasync()
    } catch (cause) {
      throw new ColdstartError('E_PATH', `cannot store a reply of the judge in ${path}: ${(cause as Error).message}`, {
        hint: 'run the same command again when the file can be written; whole lines in it are not asked again',
        cause,
      })
    }
  }

  async #open(path: string): Promise<FileHandle> {
    const handle = await open(path, 'a')
    try {
      if (this.#cutAt !== undefined) await handle.truncate(this.#cutAt)
      this.#cutAt = undefined
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async #read(path: string): Promise<void> {
    let size: number
    try {
      size = (await stat(path)).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw new ColdstartError('E_PATH', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
    }
    for await (const { number, offset, length, bytes } of readLines(path)) {
      if (offset + length >= size) {
        this.#cutAt = offset
        break
      }
      const { key, reply } = transcriptOf(bytes, `${path}:${number}`)
      this.#replies.set(key, reply)
    }
  }
}

function transcriptOf(bytes: Buffer | undefined, where: string): { key: string; reply: string } {
  try {
    const { key, reply } = JSON.parse(bytes?.toString('utf8') ?? '') as Partial<Transcript>
    if (typeof key === 'string' && /^[0-9a-f]{64}$/.test(key) && typeof reply === 'string') return { key, reply }
  } catch {
    // Falls through: what is wrong with it does not change the advice.
  }
  throw new ColdstartError('E_DATA_FORMAT', `${where}: not a transcript of a judge (key and reply)`, {
    hint: 'delete that line: its reply is asked for again',
  })
}
