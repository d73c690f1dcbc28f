/** `coldstart eval score`. */

import { parseSet, resolveConfig } from '../../config/resolve.js'
import { ColdstartError } from '../../errors.js'
import type { JudgeOption } from '../../eval/run/judge.js'
import { readEvaluation } from '../../eval/store.js'
import { needFolder } from '../../files/folder.js'
import { EvaluationProgress } from '../eval-progress.js'
import { describeReport } from '../eval-table.js'
import type { Context } from '../program.js'
import { benchmarkOverrides } from './eval.js'
import { announceWait, judgeOf } from './eval-benchmark.js'

/** Flags of the command. */
export interface ScoreFlags {
  judge?: string
  judgeModel?: string
  judgeMaxCalls?: number
  set: readonly string[]
}

/** Keys under `benchmark` that `--set` may set here: everything else was decided when the rows were answered. */
const judgeKeys = ['judge', 'judgeModel', 'judgeApiKeyEnv', 'judgeMaxCalls', 'judgeConcurrency']

/** Scores a folder again and prints its table. */
export async function scoreCommand(
  folder: string,
  file: string | undefined,
  flags: ScoreFlags,
  context: Context,
): Promise<void> {
  const { output, signal } = context
  await needFolder(folder, 'give the output folder of coldstart eval --benchmark')
  const judge = await judgeFrom(folder, file, flags)
  const { scoreBenchmark } = await import('../../eval/run/score-folder.js')
  const progress = new EvaluationProgress(output)
  announceWait(judge, context)
  const report = await scoreBenchmark(folder, { judge, signal, onEvent: (event) => progress.tell(event) })
  output.result(describeReport(report, folder))
}

async function judgeFrom(
  folder: string,
  file: string | undefined,
  { set, ...flags }: ScoreFlags,
): Promise<JudgeOption | undefined> {
  const overrides = set.map((text) => {
    const override = parseSet(text)
    const [section, key = '', ...rest] = override.path
    if (section === 'benchmark' && judgeKeys.includes(key) && rest.length === 0) return override
    throw new ColdstartError('E_USAGE', `--set ${override.path.join('.')}: scoring again sets only keys of the judge`, {
      hint: `they are ${judgeKeys.map((name) => `benchmark.${name}`).join(', ')}`,
    })
  })
  // Without a file the run itself says what every configuration of a benchmark must.
  const { protocol, dataset } = (await readEvaluation(folder)).facts
  const known =
    file === undefined
      ? [
          { path: ['benchmark', 'name'], value: protocol.benchmark, flag: folder },
          { path: ['benchmark', 'data'], value: dataset.path, flag: folder },
        ]
      : []
  const { config } = await resolveConfig('eval', file, [...known, ...benchmarkOverrides(flags, overrides)])
  if (!('benchmark' in config)) {
    throw new ColdstartError('E_CONFIG', `${file}: no key benchmark: it configures no benchmark and so no judge`)
  }
  const { judge, judgeModel } = config.benchmark
  if (judge !== undefined) return judgeOf(config.benchmark)
  return judgeModel === undefined ? undefined : { model: judgeModel, missing: 'unjudged' }
}
