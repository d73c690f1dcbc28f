// The arguments of both trainers: one schema each, with defaults, units and ranges. Scripts and YAML files go through the same ones.
import { z } from 'zod'

const count = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
const positive = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)
/** Of rows or completions that a step holds at once. */
const batch = z.int().min(1).max(65_536)
const fraction = z.number().min(0).max(1)

const partScale = z
  .strictObject({
    vision: z.number().min(0).default(1),
    merger: z.number().min(0).default(1),
    language: z.number().min(0).default(1),
  })
  .prefault({})

const common = {
  /** Folder of the run; without it nothing is written. */
  outputDir: z.string().min(1).optional(),
  /** Seed of data order and sampling. */
  seed: z.int().min(0).default(0),
  /** Optimizer-visible steps to run; -1 takes them from `numTrainEpochs`. */
  maxSteps: z.int().min(-1).default(-1),
  /** Passes over the data when `maxSteps` is -1. */
  numTrainEpochs: z.number().positive().default(1),
  /** Peak learning rate. */
  learningRate: z.number().min(0),
  /** Shape of the schedule after warm-up. */
  lrSchedulerType: z.enum(['constant', 'cosine', 'linear']),
  /** Updates over which the rate rises linearly to its peak. */
  warmupSteps: count.default(0),
  /** Rate at the end of the schedule as a share of the peak. */
  minLrRatio: fraction.default(0),
  adamBeta1: fraction.default(0.9),
  adamBeta2: fraction,
  adamEpsilon: z.number().positive().default(1e-8),
  /** Decoupled decay of the tensors that `decay` names. */
  weightDecay: z.number().min(0),
  /** Tensors that decay: those of two or more dimensions, `all`, or by `names` as the released SFT code has it. */
  decay: z.enum(['matrices', 'all', 'names']).default('matrices'),
  /** Factors of the learning rate by part of the model. */
  lrScale: partScale,
  /** Factors of the weight decay by part of the model. */
  weightDecayScale: partScale,
  /** Clip of the global gradient norm. */
  maxGradNorm: z.number().positive().default(1),
  /** Glob patterns on parameter names that stay fixed; one that matches nothing is an error. */
  freeze: z.array(z.string()).default([]),
  /** Tokens of one forward and backward pass. Bounds memory; never changes results beyond rounding. */
  microBatchTokens: positive.default(8192),
  /** Keep only block inputs and recompute the rest in the backward pass. */
  gradientCheckpointing: z.boolean().default(false),
  /** Steps between checkpoints; 0 saves at the end only. */
  saveSteps: count.default(0),
  /** Checkpoints kept, at least 2. */
  saveTotalLimit: z.int().min(2).default(2),
  /**
   * `auto` takes the newest valid checkpoint of `outputDir` if there is one. A path takes that one: of this run, whose later
   * checkpoints are then put aside as `superseded-*`, or of another, for an `outputDir` that holds no run. Settings, data, rewards
   * and what the model makes of rows must be those of the checkpoint; to begin a new run from it, load its `model` folder.
   */
  resumeFromCheckpoint: z
    .union([z.literal('auto'), z.string().min(1), z.literal(false)], 'expected auto, a path or false')
    .default(false),
  /** Steps between lines of the metrics file. */
  loggingSteps: positive.default(1),
  /** Steps between evaluations on `evalDataset`; 0 evaluates at the end only. */
  evalSteps: count.default(0),
  /** System turn put before every conversation that has none; `false` leaves the turn out. */
  systemMessage: z.union([z.string(), z.literal(false)], 'expected a text or false').optional(),
  /** Updates in a row that may be skipped for a non-finite loss or gradient; one more stops the run. */
  maxSkippedUpdates: positive.default(3),
}

/**
 * The objective: a named loss, and fields that override it. Ranges and meaning are checked by the engine, which owns the
 * formulas; an absent field takes the value of `lossType`. Defaults named here are those of `lossType: 'default'`.
 */
const objective = {
  /** Named loss to start from. `default` is the paper's loss averaged over tokens, `paper` as its released code computes it. */
  lossType: z
    .enum([
      'default',
      'paper',
      'grpo',
      'dr_grpo',
      'dapo',
      'bnpo',
      'gspo',
      'cispo',
      'sapo',
      'luspo',
      'vespo',
      'gmpo',
      'rloo',
    ])
    .optional(),
  /** Policy term, where it is to differ from the one of `lossType`. */
  kind: z.enum(['clip', 'cispo', 'sapo', 'vespo', 'gmpo', 'reinforce']).optional(),
  /** What the probability ratio is taken over. Default `token`. */
  importanceSamplingLevel: z.enum(['token', 'sequence', 'sequence_token']).optional(),
  /** Lower and upper clip. Default 0.2 and 0.3. */
  epsilon: z.number().optional(),
  epsilonHigh: z.number().optional(),
  /** Second clip for negative advantages (dual clip); null switches it off. Default 3. */
  delta: z.number().nullable().optional(),
  /** Weight of the KL divergence to the reference model; 0 needs no reference. Default 0.01. */
  beta: z.number().optional(),
  klEstimator: z.enum(['k1', 'abs', 'k2', 'k3', 'k3+']).optional(),
  useBiasCorrectionKl: z.boolean().optional(),
  /** How token losses become one number. Default `token-mean`. */
  lossAggregation: z.enum(['token-mean', 'seq-mean', 'seq-sum-norm', 'group-token-mean', 'seq-sum']).optional(),
  aggregationGroup: positive.optional(),
  aggregationInterleaved: z.boolean().optional(),
  /** Keep the policy term on this share of tokens, the most uncertain ones. Default 1. */
  topEntropyQuantile: z.number().optional(),
  /** Entropy bonus. Default 0. */
  entropyCoef: z.number().optional(),
  offPolicyMaskThreshold: z.number().nullable().optional(),
  sapoTemperaturePos: z.number().optional(),
  sapoTemperatureNeg: z.number().optional(),
  vespoKPos: z.number().optional(),
  vespoLambdaPos: z.number().optional(),
  vespoKNeg: z.number().optional(),
  vespoLambdaNeg: z.number().optional(),
  klClamp: z.number().nullable().optional(),
  ratioClamp: z.number().nullable().optional(),
  maskedMeanEps: z.number().optional(),
}

/** Names of the arguments that make up the objective. */
export const objectiveFields = Object.keys(objective) as (keyof typeof objective)[]

/** An argument that was given, whether nothing would read it, and why: whoever gave it expects something of it. */
type Unread = readonly [isUnread: boolean, name: string, reason: string]

const unreadCommon = (args: {
  minLrRatio: number
  lrSchedulerType: string
  decay: string
  weightDecay: number
}): Unread[] => [
  [
    args.minLrRatio !== 0 && args.lrSchedulerType === 'constant',
    'minLrRatio',
    'lrSchedulerType constant ends at its peak',
  ],
  [args.decay !== 'matrices' && args.weightDecay === 0, 'decay', 'weightDecay is 0'],
]

const refuseUnread =
  <A>(unread: (args: A) => Unread[]) =>
  (args: A, context: { addIssue: (issue: { code: 'custom'; path: string[]; message: string }) => void }): void => {
    for (const [isUnread, name, reason] of unread(args)) {
      if (isUnread) context.addIssue({ code: 'custom', path: [name], message: `has no effect: ${reason}` })
    }
  }

const sftFields = z.strictObject({
  ...common,
  learningRate: common.learningRate.default(1e-5),
  lrSchedulerType: common.lrSchedulerType.default('cosine'),
  adamBeta2: common.adamBeta2.default(0.95),
  weightDecay: common.weightDecay.default(0.1),
  /** Sequences of one accumulation step. */
  perDeviceTrainBatchSize: batch.default(8),
  /** Accumulation steps of one optimizer step. */
  gradientAccumulationSteps: batch.default(1),
  /** How token losses become one number: over all targets of a step, or over groups of sequences first. */
  lossAggregation: z.enum(['token-mean', 'group-token-mean']).default('token-mean'),
  /** Sequences of a group; 16 is what the released run did on each of its devices. */
  aggregationGroup: positive.default(16),
  /** Deal sequences to groups in turn instead of cutting consecutive ones. */
  aggregationInterleaved: z.boolean().default(false),
  /** Longest sequence in tokens; a longer row is a bad row: an error naming it, or left out and counted, as the data set has it. */
  maxLength: positive.optional(),
})

const grpoFields = z.strictObject({
  ...common,
  learningRate: common.learningRate.default(1e-6),
  lrSchedulerType: common.lrSchedulerType.default('constant'),
  adamBeta2: common.adamBeta2.default(0.999),
  weightDecay: common.weightDecay.default(0.01),
  /** Prompts of one rollout. */
  promptsPerStep: batch.default(64),
  /** Completions sampled for each prompt: the size of a group. */
  numGenerations: batch.min(2).default(8),
  /** Longest completion in tokens. */
  maxCompletionLength: positive.default(2048),
  /** Longest prompt in tokens; longer ones are left out and counted, in evaluations too. */
  maxPromptLength: positive.default(2048),
  temperature: z.number().positive().default(1),
  topP: z.number().positive().max(1).default(1),
  /** 0 keeps every token. */
  topK: count.default(0),
  minP: fraction.default(0),
  repetitionPenalty: z.number().positive().default(1),
  /** Optimizer updates into which the prompts of a step are split as evenly as they can be; at most `promptsPerStep`. */
  stepsPerGeneration: positive.default(1),
  /** Passes over the completions of a step. */
  numIterations: positive.default(1),
  ...objective,
  /** Advantage estimator; by default the one that belongs to `lossType`. */
  advantage: z.enum(['grpo', 'center', 'rloo', 'batch', 'batch_raw']).optional(),
  /** Added to the standard deviation of a group. */
  advantageEpsilon: z.number().positive().default(1e-6),
  /** Completions cut at the length limit take no part in the loss. */
  maskTruncatedCompletions: z.boolean().default(false),
  /** Weight of each reward function; all 1 by default. */
  rewardWeights: z.array(z.number()).optional(),
  /** Deadline of one call of a reward function. */
  rewardTimeoutMs: positive.default(30_000),
  /** The run stops when a larger share of a step's completions has no reward. */
  maxUnscorable: fraction.default(0.2),
})

/** Arguments of {@link SFTTrainer}. */
export const sftArgsSchema = sftFields.superRefine(
  refuseUnread((args) => {
    const isUngrouped = args.lossAggregation !== 'group-token-mean'
    const reason = `lossAggregation is ${args.lossAggregation}`
    return [
      ...unreadCommon(args),
      [
        isUngrouped && args.aggregationGroup !== sftFields.shape.aggregationGroup.parse(undefined),
        'aggregationGroup',
        reason,
      ],
      [isUngrouped && args.aggregationInterleaved, 'aggregationInterleaved', reason],
    ]
  }),
)

/** Arguments of {@link GRPOTrainer}. What belongs to the objective is checked where that is resolved. */
export const grpoArgsSchema = grpoFields.superRefine(refuseUnread(unreadCommon))

/** Arguments of {@link SFTTrainer}, all optional. */
export type SFTArgs = z.input<typeof sftArgsSchema>
/** Arguments of {@link GRPOTrainer}, all optional. */
export type GRPOArgs = z.input<typeof grpoArgsSchema>
export type ResolvedSFTArgs = z.output<typeof sftArgsSchema>
export type ResolvedGRPOArgs = z.output<typeof grpoArgsSchema>
