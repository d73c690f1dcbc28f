// The miniature study.
export { runStudy } from './run.js'
export type {
  Accuracy,
  Arm,
  ArmResult,
  Curve,
  Interval,
  MachineFacts,
  Sample,
  StageResult,
  StudyEvent,
  StudyOptions,
  StudyResult,
} from './types.js'
export { ARMS } from './types.js'
