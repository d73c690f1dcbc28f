/** A benchmark from data to report: read and check everything, answer what is missing, score, report. */

import { readSplit } from '../read/split.js'
import { EvaluationFolder } from '../store.js'
import { answerByModel, answerFromFile } from './answers.js'
import { factsOf } from './facts.js'
import { lastJudge, openJudge } from './judge.js'
import { answererOf, checkCounts, type RunBenchmarkOptions } from './options.js'
import { benchmarkOf, completeOptions, protocolOf } from './protocol.js'
import { scoreInto } from './score-folder.js'
import type { EvaluationReport } from './types.js'

/**
 * Runs a benchmark, or goes on with it where an earlier call ended.
 *
 * ```ts
 * const report = await runBenchmark({ benchmark: 'mathvista', data: 'MathVista', model: 'runs/grpo/model', outputDir: 'runs/mathvista' })
 * console.log(report.score, report.ci95)
 * ```
 *
 * All rows are read and checked, all prompts rendered and all images decoded before a token is generated. Each response is on the disk
 * when it ends; stopped at any point, the same call goes on without generating or judging anything twice.
 *
 * @throws ColdstartError `E_CONFIG` for options that do not fit together; `E_PATH`, `E_DATA_FORMAT`, `E_DATA_ROW` and the image codes
 * naming file and row; `E_CKPT_MISMATCH` naming what differs from the run in the folder; `E_BUSY` while another process holds it;
 * `E_JUDGE` when the judge answers no more questions. Rejects with the signal's reason when aborted, after the replies of the judge
 * that are under way have come or their deadlines have passed.
 */
export async function runBenchmark(options: RunBenchmarkOptions): Promise<EvaluationReport> {
  const { signal, onEvent } = options
  signal?.throwIfAborted()
  checkCounts(options)
  const benchmark = benchmarkOf(options.benchmark)
  const protocol = protocolOf(benchmark, options.preset)
  const switches = completeOptions(protocol, options.options)
  const answerer = answererOf(options, protocol)
  // A wrong address or a missing key is told now, not after a night of generating.
  const judge = openJudge(options.judge ?? (await lastJudge(options.outputDir)), protocol, options.outputDir)
  let folder: EvaluationFolder | undefined
  try {
    const data = await readSplit(benchmark, { ...options, path: options.data })
    const rows = data.rows.slice(0, options.limit)
    folder = await EvaluationFolder.open(options.outputDir)
    const begun = await factsOf(options, answerer, protocol, switches, data)
    const parts = { folder, facts: begun, options, protocol, switches, rows }
    const { facts, responses } =
      answerer.kind === 'model'
        ? await answerByModel(parts, answerer)
        : await answerFromFile(parts, answerer.path, new Set(data.rows.map(({ id }) => id)))
    return await scoreInto(folder, { facts, protocol, rows, responses, judge, signal, onEvent })
  } finally {
    // The folder is given back last: replies under way still come into it.
    try {
      await judge.close()
    } finally {
      await folder?.close()
    }
  }
}
