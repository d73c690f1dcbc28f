// Reads the folder of an evaluation for its page, and the images of its rows from the data it was made with.
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { ColdstartError } from '../errors.js'
import { readSplit } from '../eval/read/split.js'
import { benchmarkOf } from '../eval/run/protocol.js'
import type { DataLine, ResponseLine, RunFacts, ScoreLine } from '../eval/run/types.js'
import { readEvaluation, readScored } from '../eval/store.js'
import type { RowImage } from '../eval/types.js'
import type { EvalPage } from './eval-report.js'
import type { EvalRow } from './eval-row.js'
import { integer } from './format.js'
import { thumbnailsOf } from './thumbnails.js'

/** Characters of all images of a page. */
const IMAGE_ROOM = 12_000_000

/** Whether a folder's run.json is that of an evaluation; a folder without one is none. */
export async function isEvaluation(folder: string): Promise<boolean> {
  try {
    const facts = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as Partial<RunFacts> | null
    return typeof facts?.protocol?.benchmark === 'string'
  } catch {
    return false
  }
}

/**
 * What the page shows. Images come from the data set, if it is still where it was and still the same.
 *
 * @throws ColdstartError `E_PATH` before the first scoring, `E_CKPT_CORRUPT` naming a line that cannot be read.
 */
export async function readEval(folder: string): Promise<EvalPage> {
  const { facts, data, responses } = await readEvaluation(folder)
  const { scores, report } = await readScored(folder)
  const lineOf = byId(data)
  const responseOf = byId(responses)
  const shown = scores.map((score) => rowOf(score, lineOf.get(score.id), responseOf.get(score.id)))
  const { images, note } = await imagesOf(facts, folder)
  const pictures = await thumbnailsOf(
    shown.map(({ id }) => images.get(id)?.[0]),
    IMAGE_ROOM,
  )
  const imageNote = note ?? roomNote(pictures.end, shown.length, pictures.failed)
  return {
    name: basename(resolve(facts.answers.path)),
    report,
    rows: shown.map((row, index) => {
      const thumbnail = pictures.uris.get(index)
      return { ...row, images: images.get(row.id)?.length ?? 0, ...(thumbnail === undefined ? {} : { thumbnail }) }
    }),
    ...(imageNote === undefined ? {} : { imageNote }),
  }
}

function rowOf(score: ScoreLine, line: DataLine | undefined, answered: ResponseLine | undefined): EvalRow {
  return {
    id: score.id,
    question: line === undefined ? '' : questionOf(line.fields),
    gold: score.gold,
    response: answered?.response ?? null,
    extraction: score.extraction,
    correct: score.correct,
    path: score.path,
    groups: line?.groups ?? {},
    truncated: answered?.finishReason === 'length',
    tokens: answered?.tokens ?? 0,
    images: 0,
  }
}

/** The published columns that ask; what a version asks by image alone stands in `question_for_eval`. */
function questionOf(fields: Record<string, unknown>): string {
  const first = (...names: string[]): string | undefined =>
    names.map((name) => textOf(fields[name])).find((text) => text.trim() !== '')
  const question = first('question', 'problem', 'question_for_eval', 'query')
  return [question, first('choices', 'options', 'option')].filter((text) => text !== undefined).join('\n')
}

/** A column as text; a list as lettered lines. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((item, i) => `(${String.fromCharCode(65 + i)}) ${String(item)}`).join('\n')
  return typeof value === 'string' ? value : ''
}

const byId = <T extends { id: string }>(lines: readonly T[]): Map<string, T> =>
  new Map(lines.map((line) => [line.id, line]))
/** Images by id, or why there are none. */
async function imagesOf({ protocol, dataset }: RunFacts, folder: string): Promise<{ images: Images; note?: string }> {
  const without = (why: string) => ({ images: new Map(), note: `Images are not shown: ${why}.` })
  try {
    const benchmark = benchmarkOf(protocol.benchmark)
    const { rows, fingerprint } = await readSplit(benchmark, {
      path: resolve(folder, dataset.from.data),
      imageRoot: dataset.from.imageRoot === null ? undefined : resolve(folder, dataset.from.imageRoot),
      split: dataset.split,
      partial: true,
    })
    if (fingerprint !== dataset.fingerprint) return without(`${dataset.path} has changed since`)
    return { images: new Map(rows.map(({ id, images }) => [id, images.filter(({ isAbsent }) => isAbsent !== true)])) }
  } catch (error) {
    if (!(error instanceof ColdstartError)) throw error
    return without(`the data cannot be read at ${dataset.path}`)
  }
}

type Images = ReadonlyMap<string, readonly RowImage[]>

function roomNote(end: number, rows: number, failed: number): string | undefined {
  const notes = [
    end < rows && `Images are shown for the first ${integer(end)} rows, to keep this page small.`,
    failed > 0 && `${integer(failed)} image${failed === 1 ? '' : 's'} could not be read.`,
  ].filter((note) => note !== false)
  return notes.length === 0 ? undefined : notes.join(' ')
}
