/** `coldstart eval score`. */

import type { JudgeOption } from '../../eval/run/judge.js'
import { EvaluationProgress } from '../eval-progress.js'
import { describeReport } from '../eval-table.js'
import type { Context } from '../program.js'
import { judgeOf } from './eval-benchmark.js'

/** Flags of the command. */
export interface ScoreFlags {
  judge?: string
  judgeModel?: string
  judgeMaxCalls?: number
}

/** Scores a folder again and prints its table. */
export async function scoreCommand(folder: string, flags: ScoreFlags, { output, signal }: Context): Promise<void> {
  const judge = judgeFrom(flags)
  const { scoreBenchmark } = await import('../../eval/run/score-folder.js')
  const progress = new EvaluationProgress(output)
  const report = await scoreBenchmark(folder, { judge, signal, onEvent: (event) => progress.tell(event) })
  output.result(describeReport(report, folder))
}

function judgeFrom({ judge, judgeModel, judgeMaxCalls }: ScoreFlags): JudgeOption | undefined {
  if (judge !== undefined) return judgeOf(judge, judgeModel, { maxCalls: judgeMaxCalls })
  return judgeModel === undefined ? undefined : { model: judgeModel, missing: 'unjudged' }
}
