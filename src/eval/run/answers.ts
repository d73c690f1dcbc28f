/** The responses of a run, one a row: stored ones and those still to come, from a model or from a file. */

import { VisionLanguageModel } from '../../model/model.js'
import type { EvaluationFolder } from '../store.js'
import type { BenchmarkRow, Protocol, ProtocolOptions } from '../types.js'
import { answer } from './generate.js'
import { checkImages } from './images.js'
import type { Answerer, RunBenchmarkOptions } from './options.js'
import { Pace } from './pace.js'
import { readResponses } from './responses.js'
import type { DataLine, ResponseLine, RunFacts } from './types.js'

const defaultBatchSize = 16

/** What both ways to a response need. */
export interface AnswerParts {
  folder: EvaluationFolder
  facts: RunFacts
  options: RunBenchmarkOptions
  protocol: Protocol
  switches: Readonly<ProtocolOptions>
  /** Rows to answer. */
  rows: readonly BenchmarkRow[]
}

/** Responses in the order of the rows, and the facts with everything known. */
export interface Answers {
  facts: RunFacts
  responses: ResponseLine[]
}

/** Responses of a model: every prompt is rendered and every image decoded before the first token. */
export async function answerByModel(
  parts: AnswerParts,
  { path, sampling }: Extract<Answerer, { kind: 'model' }>,
): Promise<Answers> {
  const { folder, options, protocol, switches, rows } = parts
  const { signal, onEvent, batchSize = defaultBatchSize } = options
  const questions = rows.map((row, index) => {
    const { id, source } = row
    return { index, id, source, prompt: protocol.prompt(row, switches) }
  })
  const responses = new Map((await folder.resume(parts.facts)).map((line) => [line.id, line]))
  const pending = questions.filter(({ id }) => !responses.has(id))
  tellStart(parts, responses.size)
  const images = await checkImages(
    questions.map(({ id, prompt }) => ({ images: prompt.images, pending: !responses.has(id) })),
    { signal, onProgress: (done, total) => onEvent?.({ type: 'images', done, total }) },
  )
  const facts: RunFacts = { ...parts.facts, dataset: { ...parts.facts.dataset, images } }
  await folder.begin(facts, rows.map(dataLine))
  if (pending.length > 0) {
    await using loaded = await VisionLanguageModel.fromPretrained(path, {
      ...protocol.pixels,
      ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
      ...(signal === undefined ? {} : { signal }),
    })
    const pace = new Pace(rows.length, responses.size)
    const store = async (line: ResponseLine): Promise<void> => {
      await folder.append(line)
      responses.set(line.id, line)
      onEvent?.(pace.event(line))
    }
    await answer(pending, { model: loaded, sampling, batchSize, signal, store })
  }
  const written = [...responses.values()]
  const ordered = rows.map(({ id }) => responses.get(id)!)
  // Within a batch a short answer ends before a long one.
  if (ordered.some((line, index) => line !== written[index])) await folder.writeResponses(ordered)
  return { facts, responses: ordered }
}

/** Responses made elsewhere. */
export async function answerFromFile(parts: AnswerParts, path: string, known: ReadonlySet<string>): Promise<Answers> {
  const { folder, facts, options, rows } = parts
  const responses = await readResponses(path, rows, known, options.signal)
  await folder.resume(facts)
  tellStart(parts, responses.filter(({ response }) => response !== null).length)
  await folder.begin(facts, rows.map(dataLine))
  await folder.writeResponses(responses)
  return { facts, responses }
}

/** A row as scoring sees it, now and whenever its folder is scored again. */
export function dataLine({ id, source, gold, groups, fields }: BenchmarkRow): DataLine {
  return { id, source, gold, groups, fields }
}

function tellStart({ options, facts, rows }: AnswerParts, done: number): void {
  const { benchmark, preset } = facts.protocol
  const { split } = facts.dataset
  options.onEvent?.({ type: 'start', benchmark, preset, split, rows: rows.length, done })
}
