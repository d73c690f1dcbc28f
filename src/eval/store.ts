/**
 * The files of an evaluation folder. `rows.jsonl` only grows, a durable line a response; everything else is written whole
 * and renamed into place, so that a process may end at any point and the next one goes on.
 */

import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { kindOf } from '../data/images.js'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'
import { native, unwrap } from '../native/index.js'
import { differences } from './run/identity.js'
import type { DataLine, EvaluationReport, ResponseLine, RunFacts, ScoreLine } from './run/types.js'

/** What an evaluation folder holds, for a reader. */
export interface StoredEvaluation {
  facts: RunFacts
  data: DataLine[]
  /** Responses so far, in the order they were written. */
  responses: ResponseLine[]
}

/** An evaluation folder, held by one process at a time. */
export class EvaluationFolder {
  #rows: Promise<FileHandle> | undefined
  #appending: Promise<void> = Promise.resolve()

  private constructor(
    readonly path: string,
    private readonly lock: { release(): void },
  ) {}

  /** Creates the folder if need be and takes its lock; `E_BUSY` names the process that holds it. */
  static async open(path: string): Promise<EvaluationFolder> {
    try {
      await mkdir(path, { recursive: true })
    } catch (cause) {
      throw new ColdstartError('E_PATH', `${path}: cannot be made (${(cause as NodeJS.ErrnoException).code})`, {
        cause,
      })
    }
    return new EvaluationFolder(path, unwrap(native().lockRun(path)))
  }

  /**
   * The responses that an earlier session of this run stored. The digest of the images is not compared here: making it
   * takes a while, and other differences are told sooner.
   *
   * @throws ColdstartError `E_CKPT_MISMATCH` naming what differs from the run that the folder holds.
   */
  async resume(facts: RunFacts): Promise<ResponseLine[]> {
    const held = await this.#held()
    if (held === undefined) return []
    const { images } = held.facts.dataset
    this.#refuseOther(held.facts, { ...facts, dataset: { ...facts.dataset, images } })
    return held.responses
  }

  /** Writes down what the run is, or compares with what is written; as {@link resume}, images included. */
  async begin(facts: RunFacts, data: readonly DataLine[]): Promise<void> {
    const held = await this.#held()
    if (held !== undefined) return this.#refuseOther(held.facts, facts)
    // The row data goes first: where run.json is, everything that it speaks of is there.
    await writeWhole(join(this.path, 'data.jsonl'), linesOf(data))
    await writeWhole(join(this.path, 'run.json'), jsonOf(facts))
  }

  /** Adds a response. It is on the disk when the promise resolves; lines are written in the order of calls. */
  append(line: ResponseLine): Promise<void> {
    const text = `${JSON.stringify(line)}\n`
    const path = join(this.path, 'rows.jsonl')
    // After a line that failed half way nothing may follow it: one failure is that of all later lines.
    this.#appending = this.#appending.then(() =>
      saving(path, async () => {
        if (this.#rows === undefined) {
          this.#rows = open(path, 'a')
          await this.#rows
          await syncFolder(this.path)
        }
        const file = await this.#rows
        await file.appendFile(text)
        await file.sync()
      }),
    )
    return this.#appending
  }

  /** Puts all responses in place of those that were appended. */
  async writeResponses(lines: readonly ResponseLine[]): Promise<void> {
    await this.#closeRows()
    await writeWhole(join(this.path, 'rows.jsonl'), linesOf(lines))
  }

  async writeScores(lines: readonly ScoreLine[]): Promise<void> {
    await writeWhole(join(this.path, 'scores.jsonl'), linesOf(lines))
  }

  async writeReport(report: EvaluationReport): Promise<void> {
    await writeWhole(join(this.path, 'report.json'), jsonOf(report))
  }

  /** Waits for lines in flight and gives the folder back. */
  async close(): Promise<void> {
    try {
      await this.#closeRows()
    } finally {
      this.lock.release()
    }
  }

  /** The run whose folder this is. One that failed before its first response holds it for nobody. */
  async #held(): Promise<{ facts: RunFacts; responses: ResponseLine[] } | undefined> {
    const facts = await readFacts(this.path)
    const responses = facts === undefined ? [] : await this.#recover()
    return facts === undefined || responses.length === 0 ? undefined : { facts, responses }
  }

  #refuseOther(stored: RunFacts, facts: RunFacts): void {
    const changed = differences(stored, facts)
    if (changed.length === 0) return
    throw new ColdstartError(
      'E_CKPT_MISMATCH',
      `${this.path} belongs to a run with other settings: ${changed.join('; ')}`,
      {
        hint: 'use the same settings, or another output folder',
      },
    )
  }

  async #closeRows(): Promise<void> {
    await this.#appending.catch(() => {})
    const file = await this.#rows?.catch(() => undefined)
    this.#rows = undefined
    await file?.close()
  }

  /** The responses, after cutting off what a process that was killed left of its last line. */
  async #recover(): Promise<ResponseLine[]> {
    const path = join(this.path, 'rows.jsonl')
    const { lines, wholeBytes, bytes } = await readLinesOf<ResponseLine>(path, responseFields)
    if (wholeBytes < bytes) {
      const file = await open(path, 'r+')
      try {
        await file.truncate(wholeBytes)
        await file.sync()
      } finally {
        await file.close()
      }
    }
    return lines
  }
}

/**
 * Reads what a folder holds of its run, without taking its lock.
 *
 * @throws ColdstartError `E_PATH` for a folder without run.json, `E_CKPT_CORRUPT` naming a line that cannot be read.
 */
export async function readEvaluation(folder: string): Promise<StoredEvaluation> {
  const facts = await readFacts(folder)
  if (facts === undefined) {
    throw new ColdstartError('E_PATH', `${folder} holds no run.json: it is not the folder of an evaluation`, {
      hint: 'give the output folder of coldstart eval --benchmark',
    })
  }
  const data = await readLinesOf<DataLine>(join(folder, 'data.jsonl'), dataFields)
  const responses = await readLinesOf<ResponseLine>(join(folder, 'rows.jsonl'), responseFields)
  return { facts, data: data.lines, responses: responses.lines }
}

/** The last report of a folder, if it has one. */
export async function readReport(folder: string): Promise<EvaluationReport | undefined> {
  const path = join(folder, 'report.json')
  const report = (await readJson(path)) as EvaluationReport | null | undefined
  if (report === undefined || report?.format === 1) return report
  throw new ColdstartError('E_CKPT_CORRUPT', `${path}: expected "format": 1, written by this version`)
}

/** The scores and the report of a finished evaluation. Throws `E_PATH` where there are none yet. */
export async function readScored(folder: string): Promise<{ scores: ScoreLine[]; report: EvaluationReport }> {
  const report = await readReport(folder)
  const { lines } = await readLinesOf<ScoreLine>(join(folder, 'scores.jsonl'), scoreFields)
  if (report === undefined || lines.length === 0) {
    throw new ColdstartError('E_PATH', `${folder} has not been scored yet`, { hint: 'finish the run first' })
  }
  return { scores: lines, report }
}

async function readFacts(folder: string): Promise<RunFacts | undefined> {
  const path = join(folder, 'run.json')
  const facts = (await readJson(path)) as RunFacts | null | undefined
  if (facts === undefined) return undefined
  const { format, protocol, answers, dataset } = facts ?? {}
  if (format === 1 && isRecord(protocol) && isRecord(answers) && isRecord(dataset)) return facts as RunFacts
  throw new ColdstartError('E_CKPT_MISMATCH', `${path} is not that of a benchmark run of this version`, {
    hint: 'choose another output folder',
  })
}

/** Kinds of values in a line, by field. */
type Fields<T> = Readonly<Record<keyof T, Field>>
type Field = readonly [expected: string, test: (value: unknown) => boolean]

const isText = (value: unknown): boolean => typeof value === 'string'
const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const text: Field = ['a text', isText]
const textOrNull: Field = ['a text or null', (value) => value === null || isText(value)]
const record: Field = ['an object', isRecord]
const number: Field = ['a number of at least 0', (value) => typeof value === 'number' && value >= 0]

const dataFields: Fields<DataLine> = { id: text, source: text, gold: text, groups: record, fields: record }
const responseFields: Fields<ResponseLine> = {
  id: text,
  promptHash: textOrNull,
  response: textOrNull,
  finishReason: ['"stop", "length" or null', (value) => value === 'stop' || value === 'length' || value === null],
  promptTokens: number,
  tokens: number,
  seconds: number,
}
const scoreFields: Fields<ScoreLine> = {
  id: text,
  gold: text,
  extraction: textOrNull,
  correct: ['true, false or null', (value) => typeof value === 'boolean' || value === null],
  path: text,
  calls: number,
}

/** The file, the part of it that is whole lines, and what these say. No file: no lines. */
async function readLinesOf<T>(
  path: string,
  fields: Fields<T>,
): Promise<{ lines: T[]; wholeBytes: number; bytes: number }> {
  const content = await contentOf(path)
  if (content === undefined) return { lines: [], wholeBytes: 0, bytes: 0 }
  const wholeBytes = content.lastIndexOf(0x0a) + 1
  const texts = content.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1)
  const lines = texts.map((text, index) => {
    const where = `${path}:${index + 1}`
    const value = parse(text, where)
    if (!isRecord(value))
      throw new ColdstartError('E_CKPT_CORRUPT', `${where}: expected an object, got ${kindOf(value)}`)
    for (const [name, [expected, test]] of Object.entries<Field>(fields)) {
      const got = (value as Record<string, unknown>)[name]
      if (test(got)) continue
      throw new ColdstartError('E_CKPT_CORRUPT', `${where}: ${name}: expected ${expected}, got ${kindOf(got)}`)
    }
    return value as T
  })
  return { lines, wholeBytes, bytes: content.length }
}

async function readJson(path: string): Promise<unknown> {
  const content = await contentOf(path)
  return content === undefined ? undefined : parse(content.toString('utf8'), path)
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ColdstartError('E_CKPT_CORRUPT', `${where}: not JSON`, { cause })
  }
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readIfPresent(path)
  } catch (cause) {
    throw new ColdstartError('E_PATH', `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await saving(path, async () => {
    const file = await open(`${path}.part`, 'w')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.part`, path)
    await syncFolder(dirname(path))
  })
}

/** Makes new names in a folder as durable as the content of its files. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function saving(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw new ColdstartError('E_CKPT_SAVE', `${path}: cannot be written (${code})`, {
      cause,
      hint: 'make room for it; the same call then goes on where this one ended',
    })
  }
}

const linesOf = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const jsonOf = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
