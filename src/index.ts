/**
 * Training of multimodal reasoning models: supervised cold start, GRPO, evaluation.
 *
 * @packageDocumentation
 */
export { Dataset } from './data/dataset.js'
export { loadDataset } from './data/load.js'
export type {
  ContentPart,
  DatasetLike,
  ImageInput,
  LoadDatasetOptions,
  Message,
  Role,
  Row,
} from './data/types.js'
export { ColdstartError, type ColdstartErrorOptions, type ErrorCode, exitCodeOf } from './errors.js'
export { type EvalResult, type EvaluatedRow, type EvaluateOptions, evaluate } from './eval/evaluate.js'
export { wilson } from './eval/interval.js'
export { type FromConfigOptions, type FromPretrainedOptions, VisionLanguageModel } from './model/model.js'
export type { Completion, DType, GenerateOptions, ParameterCounts, PromptInput, StreamChunk } from './model/types.js'
export type { PreparedImage } from './native/index.js'
export { type EngineInfo, engineInfo } from './native/info.js'
export {
  type EncodedPrompt,
  type EncodeOptions,
  Processor,
  type ProcessorFiles,
  type ProcessorOptions,
} from './processor/processor.js'
export { writeReport } from './report/index.js'
export { exactBoxed, extractBoxed, isBoxed } from './reward/boxed.js'
export type { RewardBatch, RewardFunc } from './reward/types.js'
export type { GRPOArgs, SFTArgs } from './train/args.js'
export type { Logger, RunOptions, Stage, TrainEvent, TrainOutput } from './train/events.js'
export { GRPOTrainer, type GRPOTrainerOptions } from './train/grpo-trainer.js'
export { SFTTrainer, type SFTTrainerOptions } from './train/sft-trainer.js'
export { version } from './version.js'
