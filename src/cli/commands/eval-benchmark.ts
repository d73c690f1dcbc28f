/** `coldstart eval` of a benchmark. */

import { basename, dirname, join, normalize, resolve } from 'node:path'
import type { Config } from '../../config/schemas.js'
import { ColdstartError } from '../../errors.js'
import type { JudgeOption } from '../../eval/run/judge.js'
import { EvaluationProgress } from '../eval-progress.js'
import { describeReport } from '../eval-table.js'
import { needModel } from '../model-folder.js'
import type { Context } from '../program.js'

/** A configuration that runs a benchmark. */
export type BenchmarkConfig = Extract<Config<'eval'>, { benchmark: unknown }>

/** Runs the benchmark and prints its table. */
export async function benchmarkCommand(config: BenchmarkConfig, context: Context): Promise<void> {
  const { output, signal } = context
  if (config.model) needModel(config.model.path)
  const { judge, judgeModel, judgeApiKeyEnv, judgeMaxCalls, judgeConcurrency, name, ...options } = config.benchmark
  const chosen = judge === undefined && judgeModel === undefined ? undefined : judgeOf(config.benchmark)
  const [{ runBenchmark }, { benchmarkOf, protocolOf }] = await Promise.all([
    import('../../eval/run/run.js'),
    import('../../eval/run/protocol.js'),
  ])
  const { preset } = protocolOf(benchmarkOf(name), options.preset)
  const outputDir = config.outputDir ?? join('runs', `${name}-${preset}-${answererOf(config)}`)
  const progress = new EvaluationProgress(output)
  output.say(`${name}: folder ${outputDir}`)
  announceWait(chosen, context)
  const report = await runBenchmark({
    ...options,
    benchmark: name,
    model: config.model?.path,
    dtype: config.model?.dtype,
    judge: chosen,
    outputDir,
    signal,
    onEvent: (event) => progress.tell(event),
  })
  output.result(describeReport(report, outputDir))
}

/** The judge that a configuration means, where it says anything of one. */
export function judgeOf({
  judge = 'rules',
  judgeModel: model,
  judgeApiKeyEnv: apiKeyEnv,
  judgeMaxCalls: maxCalls,
  judgeConcurrency: concurrency,
}: BenchmarkConfig['benchmark']): JudgeOption {
  if (judge === 'rules' || judge === 'none') {
    if (model === undefined) return judge
    throw new ColdstartError('E_CONFIG', `a judge's model without its endpoint: the judge is ${judge}`, {
      hint: 'give the address of the endpoint: --judge http://127.0.0.1:8000/v1',
    })
  }
  if (model !== undefined) return { baseUrl: judge, model, apiKeyEnv, maxCalls, concurrency }
  throw new ColdstartError('E_CONFIG', 'the model to ask for at the endpoint is missing', {
    hint: '--judge-model Qwen2.5-32B-Instruct, or benchmark.judgeModel',
  })
}

/** Tells why a command that was told to stop goes on for a while: replies under way are paid for, and stored before it ends. */
export function announceWait(judge: JudgeOption | undefined, { output, signal }: Context): void {
  if (typeof judge !== 'object' || !('baseUrl' in judge)) return
  const say = () => output.say('stopping when replies of the judge that are under way are stored; again stops at once')
  signal.addEventListener('abort', say, { once: true })
}

/** Who answers, as a part of a folder's name. */
function answererOf({ model, benchmark: { responses } }: BenchmarkConfig): string {
  const given = normalize(model?.path ?? responses ?? '')
  const name = basename(resolve(given)).replace(/\.\w+$/, '')
  // What a run exports is called model in every run; the run's name tells them apart.
  const run = basename(dirname(given))
  return model !== undefined && name === 'model' && !['', '.', '..'].includes(run) ? run : name
}
