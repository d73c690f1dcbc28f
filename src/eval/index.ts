/**
 * Evaluation: accuracy over a data set of one's own (`evaluate`), and benchmarks by published protocols (`runBenchmark`).
 *
 * @module
 */

export { benchmarks } from './benchmarks/index.js'
export { type ComparedRun, type CompareOptions, type Comparison, compareEvaluations } from './compare.js'
export { type EvalResult, type EvaluatedRow, type EvaluateOptions, evaluate } from './evaluate.js'
export { wilson } from './interval.js'
export { type JudgeStats, type OpenAiJudge, openAiJudge } from './judge/openai.js'
export type { OpenAiJudgeOptions } from './judge/options.js'
export type { EvaluationEvent, EvaluationListener } from './run/events.js'
export type { JudgeOption } from './run/judge.js'
export type { RunBenchmarkOptions } from './run/options.js'
export { runBenchmark } from './run/run.js'
export { type ScoreBenchmarkOptions, scoreBenchmark } from './run/score-folder.js'
export type { DatasetFacts, EvaluationReport, ModelFacts, ResponsesFacts, RunFacts } from './run/types.js'
export type { PairedResult } from './statistics.js'
export type {
  AskOptions,
  Benchmark,
  BenchmarkName,
  BenchmarkRow,
  Cell,
  Companion,
  Judge,
  JudgeChoice,
  PresetName,
  PromptText,
  Protocol,
  ProtocolOptions,
  RawRecord,
  RowImage,
  Sampling,
  Scored,
  ScoredRow,
  Scoring,
  SplitSpec,
  Summary,
} from './types.js'
