// What goes into the miniature study, what it reports while it runs, and the shape of study.json.

/** The four arms of the study, in the order of the tables. */
export const ARMS = ['base', 'rl', 'sft', 'sft+rl'] as const
/** `base`: no training after the base; `rl`: GRPO alone; `sft`: the cold start alone; `sft+rl`: the cold start, then GRPO. */
export type Arm = (typeof ARMS)[number]

/** Options of {@link runStudy}. */
export interface StudyOptions {
  /** Independent repetitions, each with its own base model, cold-start examples and sampling: seeds 0 … seeds − 1. Default 1. */
  seeds?: number
  /** Folder of the study: new, empty, or that of an earlier study, whose results are replaced. Default `runs/miniature`. */
  outputDir?: string
  /** Ends the study; the call rejects with the signal's reason. */
  signal?: AbortSignal
  /** Called for every event, in order; it must not throw. */
  onEvent?: (event: StudyEvent) => void
  /** A version of a few seconds whose arms mean nothing: for tests of everything around the learning. Default false. */
  quick?: boolean
  /** The command line to print under "reproduce". Default: the call of `runStudy`. */
  command?: string
}

/** What the study tells while it runs. Seconds are wall-clock seconds. */
export type StudyEvent =
  /** Data sets being written, or verified when they are there already. */
  | { type: 'data'; set: string; done: number; total: number }
  /** A stage begins: `index` of `stages`, over all seeds. */
  | { type: 'stage'; seed: number; stage: Arm; kind: 'sft' | 'grpo'; maxSteps: number; index: number; stages: number }
  | {
      type: 'step'
      seed: number
      stage: Arm
      step: number
      maxSteps: number
      /** Cross-entropy of the step, per token; stages of supervised training. */
      loss?: number
      /** Mean reward of the step's completions; stages of reinforcement learning. */
      reward?: number
      tokensPerSecond: number
      /** Left of the whole study, as a guess. */
      secondsLeft: number
    }
  /** Held-out images being answered. */
  | { type: 'eval'; seed: number; arm: Arm; done: number; total: number; secondsLeft: number }
  /** One arm of one seed is judged: right answers of `n`, with the Wilson interval. */
  | { type: 'arm'; seed: number; arm: Arm; accuracy: number; n: number; ci95: Interval; seconds: number }
  /** Everything is on disk. */
  | { type: 'end'; studyPath: string; reportPath: string; seconds: number }

/** Lower and upper end. */
export type Interval = [low: number, high: number]

/** A share of right answers, over all seeds. */
export interface Accuracy {
  /** Mean over seeds of the share of right answers. */
  accuracy: number
  /** Answers judged, all seeds together. */
  n: number
  /** See {@link StudyResult.intervals}. */
  ci95: Interval
  /** Share of right answers of seed 0, 1, … */
  perSeed: number[]
}

/** One line of the table. */
export interface ArmResult extends Accuracy {
  arm: Arm
  /** Completions that hit the length limit, all seeds together. */
  truncated: number
  /** Accuracy on images of another number of digits than the table's, which reinforcement learning never saw. */
  otherLengths: { digits: number; accuracy: number; n: number }[]
}

/** One training stage: seconds and tokens summed over the seeds, without evaluation. */
export interface StageResult {
  name: string
  seconds: number
  tokens: number
  perSeed: { seconds: number; tokens: number }[]
}

/** A metric over the steps of one stage of one seed. */
export interface Curve {
  seed: number
  stage: Arm
  metric: string
  /** One value a step, from step 1. */
  values: number[]
}

/** A held-out image with what each arm of seed 0 made of it. */
export interface Sample {
  id: string
  /** The PNG file as a data URI. */
  image: string
  problem: string
  answer: string
  responses: { arm: Arm; text: string; correct: boolean }[]
}

/** The machine the study ran on. */
export interface MachineFacts {
  cpu: string
  logicalCores: number
  threads: number
  kernel: string
  memoryGiB: number
  platform: string
}

/** Content of study.json. */
export interface StudyResult {
  /** Raised when a field changes its meaning. */
  format: 1
  /** Number of repetitions. */
  seeds: number
  quick: boolean
  arms: ArmResult[]
  stages: StageResult[]
  /** What the intervals are, in words. */
  intervals: string
  /** Accuracy of `sft+rl` minus accuracy of `sft`. */
  gain: { mean: number; ci95: Interval; perSeed: number[] }
  /** Held-out images all of whose digits the base model reads correctly: about the best any arm can do. */
  reading: Accuracy
  curves: Curve[]
  samples: Sample[]
  /** Seconds of everything, evaluation and data included. */
  seconds: number
  evalSeconds: number
  machine: MachineFacts
  versions: { coldstart: string; node: string; mnist: string }
  parameters: number
  /** Arguments of each stage, as given to its trainer. */
  recipe: Record<string, unknown>
  data: { sha256: string; images: number; trainDigits: number; heldOutDigits: number; heldOutImages: number }
  command: string
  startedAt: string
}
