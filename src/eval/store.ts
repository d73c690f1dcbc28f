/**
 * The files of an evaluation folder. `rows.jsonl` only grows, a durable line a response; everything else is written whole
 * and renamed into place, so that a process may end at any point and the next one goes on.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { kindOf } from '../data/images.js'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'
import { AppendedLines, wholeLines } from '../files/appended-lines.js'
import { jsonLines, jsonText, writeWhole } from '../files/write.js'
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
  readonly #rows: AppendedLines

  private constructor(
    readonly path: string,
    private readonly lock: { release(): void },
  ) {
    this.#rows = new AppendedLines(join(path, 'rows.jsonl'))
  }

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
    await this.#write('data.jsonl', jsonLines(data))
    await this.#write('run.json', jsonText(facts))
  }

  /** Adds a response. It is on the disk when the promise resolves; lines are written in the order of calls. */
  append(line: ResponseLine): Promise<void> {
    return saving(this.#rows.path, () => this.#rows.append(jsonLines([line])))
  }

  /** Puts all responses in place of those that were appended. */
  async writeResponses(lines: readonly ResponseLine[]): Promise<void> {
    await this.#rows.settled()
    await this.#write('rows.jsonl', jsonLines(lines))
  }

  async writeScores(lines: readonly ScoreLine[]): Promise<void> {
    await this.#write('scores.jsonl', jsonLines(lines))
  }

  async writeReport(report: EvaluationReport): Promise<void> {
    await this.#write('report.json', jsonText(report))
  }

  /** Waits for lines in flight and gives the folder back. */
  async close(): Promise<void> {
    await this.#rows.settled()
    this.lock.release()
  }

  /** The run whose folder this is. One that failed before its first response holds it for nobody. */
  async #held(): Promise<{ facts: RunFacts; responses: ResponseLine[] } | undefined> {
    const facts = await readFacts(this.path)
    const responses = facts === undefined ? [] : await readLinesOf<ResponseLine>(this.#rows.path, responseFields)
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

  #write(name: string, text: string): Promise<void> {
    const path = join(this.path, name)
    return saving(path, () => writeWhole(path, text))
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
  return { facts, data, responses }
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
  const scores = await readLinesOf<ScoreLine>(join(folder, 'scores.jsonl'), scoreFields)
  if (report === undefined || scores.length === 0) {
    throw new ColdstartError('E_PATH', `${folder} has not been scored yet`, { hint: 'finish the run first' })
  }
  return { scores, report }
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

/** What the whole lines of a file say. No file: no lines. */
async function readLinesOf<T>(path: string, fields: Fields<T>): Promise<T[]> {
  const lines: T[] = []
  return reading(path, async () => {
    for await (const { number, bytes } of wholeLines(path)) lines.push(lineOf(bytes, fields, `${path}:${number}`))
    return lines
  })
}

function lineOf<T>(bytes: Buffer | undefined, fields: Fields<T>, where: string): T {
  const value = parse(bytes?.toString('utf8') ?? '', where)
  if (!isRecord(value)) throw new ColdstartError('E_CKPT_CORRUPT', `${where}: expected an object, got ${kindOf(value)}`)
  for (const [name, [expected, test]] of Object.entries<Field>(fields)) {
    const got = (value as Record<string, unknown>)[name]
    if (test(got)) continue
    throw new ColdstartError('E_CKPT_CORRUPT', `${where}: ${name}: expected ${expected}, got ${kindOf(got)}`)
  }
  return value as T
}

async function readJson(path: string): Promise<unknown> {
  const content = await reading(path, () => readIfPresent(path))
  return content === undefined ? undefined : parse(content.toString('utf8'), path)
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ColdstartError('E_CKPT_CORRUPT', `${where}: not JSON`, { cause })
  }
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof ColdstartError) throw cause
    throw new ColdstartError('E_PATH', `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
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
