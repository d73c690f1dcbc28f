/** Scoring of stored responses, in a run or long after it: no model, no images, no question to the judge that has a reply. */

import { ColdstartError } from '../../errors.js'
import { EvaluationFolder, readEvaluation, type StoredEvaluation } from '../store.js'
import type { Benchmark, BenchmarkRow, Protocol } from '../types.js'
import { dataLine } from './answers.js'
import type { EvaluationListener } from './events.js'
import { promptHash } from './fingerprints.js'
import { type JudgeOption, lastJudge, type OpenJudge, openJudge } from './judge.js'
import { benchmarkOf, protocolOf } from './protocol.js'
import { reportOf, scoreLines } from './report.js'
import { rowOf, scoreRows } from './score.js'
import type { EvaluationReport, ResponseLine, RunFacts } from './types.js'

/** How to score again. */
export interface ScoreBenchmarkOptions {
  /** Default: the judge of the last report, by its stored replies only, else `rules`. */
  judge?: JudgeOption | undefined
  /** The benchmark, where it is none of the built-in ones. */
  benchmark?: Benchmark | undefined
  signal?: AbortSignal | undefined
  onEvent?: EvaluationListener | undefined
}

/**
 * Scores the stored responses of an evaluation folder again and writes its scores and report. Needs neither the model nor the data.
 * Of a judge only what has no stored reply is asked.
 *
 * ```ts
 * const report = await scoreBenchmark('runs/mathvista', { judge: { baseUrl: 'http://127.0.0.1:8000/v1', model: 'Qwen2.5-32B-Instruct' } })
 * ```
 *
 * @throws ColdstartError `E_PATH` for a folder that holds no run, `E_CONFIG` for a run that is not finished, `E_CKPT_CORRUPT` naming a
 * line, `E_CKPT_MISMATCH` where this version asks the rows something else, `E_BUSY` while a run is going on in the folder, `E_JUDGE`.
 */
export async function scoreBenchmark(path: string, options: ScoreBenchmarkOptions = {}): Promise<EvaluationReport> {
  const { signal, onEvent } = options
  signal?.throwIfAborted()
  await readEvaluation(path)
  const folder = await EvaluationFolder.open(path)
  try {
    const stored = await readEvaluation(path)
    const { facts } = stored
    const protocol = protocolOf(benchmarkOf(options.benchmark ?? facts.protocol.benchmark), facts.protocol.preset)
    const responses = completeResponses(path, stored)
    const rows = stored.data.map(rowOf)
    assertSamePrompts(path, facts, protocol, rows, responses)
    const judge = openJudge(options.judge ?? (await lastJudge(path)), protocol, path)
    try {
      return await scoreInto(folder, { facts, protocol, rows, responses, judge, signal, onEvent })
    } finally {
      await judge.close()
    }
  } finally {
    await folder.close()
  }
}

/** What is scored, and by what. */
interface ScoringParts {
  facts: RunFacts
  protocol: Protocol
  /** Rows and their responses, in the order of the data. */
  rows: readonly BenchmarkRow[]
  responses: readonly ResponseLine[]
  judge: OpenJudge
  signal?: AbortSignal | undefined
  onEvent?: EvaluationListener | undefined
}

/** Scores, and writes scores and report. A judge that answered nothing leaves those of an earlier scoring as they are. */
export async function scoreInto(folder: EvaluationFolder, parts: ScoringParts): Promise<EvaluationReport> {
  const { facts, protocol, responses, judge, signal, onEvent } = parts
  const began = performance.now()
  const scored = await scoreRows(
    protocol,
    parts.rows.map((row) => rowOf(dataLine(row))),
    new Map(responses.map((line) => [line.id, line])),
    {
      judge: judge.choice,
      options: facts.protocol.options,
      signal,
      onProgress: (done, total) => onEvent?.({ type: 'scored', done, total }),
    },
  )
  judge.assertAnswered()
  const scoringSeconds = (performance.now() - began) / 1000
  const report = reportOf({ facts, protocol, judge: judge.choice, rows: scored, responses, scoringSeconds })
  await folder.writeScores(scoreLines(scored))
  await folder.writeReport(report)
  const { writeReport } = await import('../../report/index.js')
  await writeReport(folder.path)
  onEvent?.({ type: 'end', report })
  return report
}

function completeResponses(path: string, { facts, data, responses }: StoredEvaluation): ResponseLine[] {
  const byId = new Map(responses.map((line) => [line.id, line]))
  const lines = data.flatMap(({ id }) => byId.get(id) ?? [])
  if (lines.length === data.length && data.length === facts.dataset.answered) return lines
  throw new ColdstartError('E_CONFIG', `${path}: ${lines.length} of ${facts.dataset.answered} rows are answered`, {
    hint: 'run the same evaluation again: it goes on where it ended',
  })
}

/** A later version may score better, but it must not score answers to another question. */
function assertSamePrompts(
  path: string,
  { protocol: { version, options } }: RunFacts,
  protocol: Protocol,
  rows: readonly BenchmarkRow[],
  responses: readonly ResponseLine[],
): void {
  if (version === protocol.version) return
  const other = rows.findIndex((row, index) => {
    const asked = responses[index]?.promptHash ?? null
    return asked !== null && asked !== promptHash(protocol.prompt(row, options))
  })
  if (other < 0) return
  throw new ColdstartError(
    'E_CKPT_MISMATCH',
    `${path}: row ${rows[other]?.id} was asked with version ${version} of the protocol; version ${protocol.version} asks something else`,
    { hint: 'run the evaluation again in another folder' },
  )
}
