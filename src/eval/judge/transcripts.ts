// What a judge said, by a hash of what it was asked: a file that only grows, so that scoring resumes and repeats without asking again.
import { createHash } from 'node:crypto'
import { ColdstartError } from '../../errors.js'
import { AppendedLines, wholeLines } from '../../files/appended-lines.js'
import { jsonLines } from '../../files/write.js'

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
  readonly #file: AppendedLines | undefined
  readonly #replies = new Map<string, string>()
  #loaded: Promise<void> | undefined

  constructor(path: string | undefined) {
    this.#file = path === undefined ? undefined : new AppendedLines(path)
  }

  /** Reads the file once. Throws `E_DATA_FORMAT` naming the line that is no transcript. */
  load(): Promise<void> {
    this.#loaded ??= this.#file === undefined ? Promise.resolve() : this.#read(this.#file.path)
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
    if (this.#file !== undefined) await append(this.#file, transcript)
    this.#replies.set(transcript.key, reply)
  }

  /** Waits for lines being written. */
  async close(): Promise<void> {
    await this.#file?.settled()
  }

  async #read(path: string): Promise<void> {
    try {
      for await (const { number, bytes } of wholeLines(path)) {
        const { key, reply } = transcriptOf(bytes, `${path}:${number}`)
        this.#replies.set(key, reply)
      }
    } catch (error) {
      if (error instanceof ColdstartError) throw error
      throw new ColdstartError('E_PATH', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
    }
  }
}

async function append(file: AppendedLines, transcript: Transcript): Promise<void> {
  try {
    await file.append(jsonLines([transcript]))
  } catch (cause) {
    throw new ColdstartError(
      'E_PATH',
      `cannot store a reply of the judge in ${file.path}: ${(cause as Error).message}`,
      {
        hint: 'run the same command again when the file can be written; whole lines in it are not asked again',
        cause,
      },
    )
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
