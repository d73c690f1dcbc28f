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
const factor = z.number().min(0).default(1)

const partScale = (what: string) =>
  z
    .strictObject({
      vision: factor.describe(`Factor of the ${what} of the vision tower.`),
      merger: factor.describe(`Factor of the ${what} of the merger between vision tower and language model.`),
      language: factor.describe(`Factor of the ${what} of the language model.`),
    })
    .prefault({})
    .describe(`Factors of the ${what} by part of the model.`)

// Every key is described here and nowhere else: the JSON Schema and args-types.ts, which editors show, are made of it
// (npm run generate:args).
const common = {
  outputDir: z.string().min(1).optional().describe('Folder of the run. Default: nothing is written.'),
  seed: z.int().min(0).default(0).describe('Seed of data order and sampling.'),
  maxSteps: z.int().min(-1).default(-1).describe('Steps to run; -1 takes them from numTrainEpochs.'),
  numTrainEpochs: z
    .number()
    .positive()
    .default(1)
    .describe('Passes over the data when maxSteps is -1; may be a fraction.'),
  learningRate: z.number().min(0).describe('Peak learning rate.'),
  lrSchedulerType: z.enum(['constant', 'cosine', 'linear']).describe('Shape of the learning rate after the warm-up.'),
  warmupSteps: count
    .default(0)
    .describe(
      'Optimizer updates over which the learning rate rises linearly to its peak; cosine and linear need more in the run.',
    ),
  minLrRatio: fraction.default(0).describe('Learning rate at the end of cosine or linear, as a share of the peak.'),
  adamBeta1: fraction.default(0.9).describe("Decay of AdamW's mean of gradients; below 1."),
  adamBeta2: fraction.describe("Decay of AdamW's mean of squared gradients; below 1."),
  adamEpsilon: z
    .number()
    .positive()
    .default(1e-8)
    .describe("Added to the root of AdamW's mean of squared gradients before dividing by it."),
  weightDecay: z.number().min(0).describe('Decoupled weight decay of the tensors that decay names.'),
  decay: z
    .enum(['matrices', 'all', 'names'])
    .default('matrices')
    .describe(
      'Tensors that decay: matrices are those of two or more dimensions; names spares biases and what is in a module called norm or with layernorm in its name, as the released SFT code has it.',
    ),
  lrScale: partScale('learning rate'),
  weightDecayScale: partScale('weight decay'),
  maxGradNorm: z
    .number()
    .positive()
    .default(1)
    .describe('Limit to which a larger global gradient norm is scaled down.'),
  freeze: z
    .array(z.string())
    .default([])
    .describe('Glob patterns of parameter names that stay as they are; one that matches nothing is an error.'),
  microBatchTokens: positive
    .default(8192)
    .describe('Tokens of one forward and backward pass. Bounds memory; never changes results beyond rounding.'),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .describe('Keep only the inputs of blocks and recompute the rest in the backward pass: less memory, more time.'),
  saveSteps: count.default(0).describe('Steps between checkpoints; 0 saves at the end only.'),
  saveTotalLimit: z.int().min(2).default(2).describe('Checkpoints kept; older ones are deleted.'),
  resumeFromCheckpoint: z
    .union([z.literal('auto'), z.string().min(1), z.literal(false)], 'expected auto, a path or false')
    .default(false)
    .describe(
      'Where to go on. auto takes the newest valid checkpoint of outputDir if there is one. A path takes that one: of this run, whose later checkpoints are then put aside as superseded, or of another, for an outputDir that holds no run. Settings, data, rewards and what the model makes of rows must be those of the checkpoint; to begin a new run from it, load its model folder.',
    ),
  loggingSteps: positive.default(1).describe('Steps between lines of the metrics file.'),
  evalSteps: count
    .default(0)
    .describe('Steps between evaluations on the evaluation rows; 0 evaluates at the end only.'),
  systemMessage: z
    .union([z.string(), z.literal(false)], 'expected a text or false')
    .optional()
    .describe(
      "System turn of every conversation that has none; false leaves the turn out. Default: that of the model's chat template.",
    ),
  maxSkippedUpdates: positive
    .default(3)
    .describe(
      'Updates in a row that may be skipped for a loss or gradient that is not finite; one more stops the run.',
    ),
}

/** How the description of a field of the objective ends, whose default belongs to `lossType`. */
const byLoss = (value: string): string => `Default: by lossType; under default, ${value}.`

/**
 * The objective: a named loss, and fields that override it. Ranges and meaning are checked by the engine, which owns the
 * formulas; an absent field takes the value of `lossType`.
 */
const objective = {
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
    .optional()
    .describe(
      "Named loss to start from; the other keys of the objective override it. default is the paper's loss averaged over tokens, paper is the loss as its released code computes it. Default: default.",
    ),
  kind: z
    .enum(['clip', 'cispo', 'sapo', 'vespo', 'gmpo', 'reinforce'])
    .optional()
    .describe(`Policy term of a token. ${byLoss('clip')}`),
  importanceSamplingLevel: z
    .enum(['token', 'sequence', 'sequence_token'])
    .optional()
    .describe(
      `What the probability ratio is taken over; sequence_token has the value of sequence and the gradient of the token alone. ${byLoss('token')}`,
    ),
  epsilon: z
    .number()
    .optional()
    .describe(
      `How far below 1 a ratio may go before the clip, from 0 to 1; for kind gmpo the log ratio below 0, from 0. For kind clip and gmpo. ${byLoss('0.2')}`,
    ),
  epsilonHigh: z
    .number()
    .optional()
    .describe(
      `How far above 1 a ratio may go before the clip, at least 0; for kind gmpo the log ratio above 0. For kind clip, gmpo and cispo, which caps at 1 + epsilonHigh. ${byLoss('0.3')}`,
    ),
  delta: z
    .number()
    .nullable()
    .optional()
    .describe(
      `Dual clip, above 1: with a negative advantage A the loss of a token is at most -A * delta; null switches it off. For kind clip. ${byLoss('3')}`,
    ),
  beta: z
    .number()
    .optional()
    .describe(
      `Weight of the KL divergence from the reference model, at least 0; 0 needs no reference. ${byLoss('0.01')}`,
    ),
  klEstimator: z
    .enum(['k1', 'abs', 'k2', 'k3', 'k3+'])
    .optional()
    .describe(
      `Estimate of the KL divergence, with x = reference - policy log-probability: k1 is -x, abs |x|, k2 x^2 / 2, k3 e^x - x - 1, k3+ the value of k3 with the gradient of k2. Needs a beta above 0. ${byLoss('k3')}`,
    ),
  useBiasCorrectionKl: z
    .boolean()
    .optional()
    .describe(
      `Multiply the KL of a token by its ratio, so that its expectation is taken under the current policy. ${byLoss('false')}`,
    ),
  lossAggregation: z
    .enum(['token-mean', 'seq-mean', 'seq-sum-norm', 'group-token-mean', 'seq-sum'])
    .optional()
    .describe(
      `How token losses become one number: mean over tokens; mean over completions of their token means; sum divided by completions and maxCompletionLength; mean over groups of their token means; sum divided by completions. ${byLoss('token-mean')}`,
    ),
  aggregationGroup: positive
    .optional()
    .describe(`Completions of a group under lossAggregation group-token-mean. ${byLoss('all of an update')}`),
  aggregationInterleaved: z
    .boolean()
    .optional()
    .describe(
      `Deal completions to groups in turn instead of cutting consecutive ones, under lossAggregation group-token-mean. ${byLoss('false')}`,
    ),
  topEntropyQuantile: z
    .number()
    .optional()
    .describe(
      `Share of tokens that keep the policy term, the most uncertain ones of the update; above 0, at most 1. ${byLoss('1')}`,
    ),
  entropyCoef: z
    .number()
    .optional()
    .describe(
      `Weight of the entropy bonus, the mean entropy of the tokens that topEntropyQuantile keeps; at least 0. ${byLoss('0')}`,
    ),
  offPolicyMaskThreshold: z
    .number()
    .nullable()
    .optional()
    .describe(
      `Drop the policy term of a completion with a negative advantage whose mean log-probability fell by more than this since it was sampled, in nats, at least 0; null drops none. ${byLoss('null')}`,
    ),
  sapoTemperaturePos: z
    .number()
    .optional()
    .describe(`Temperature of the gate at a positive advantage, above 0. For kind sapo. ${byLoss('1')}`),
  sapoTemperatureNeg: z
    .number()
    .optional()
    .describe(`Temperature of the gate at any other advantage, above 0. For kind sapo. ${byLoss('1.05')}`),
  vespoKPos: z
    .number()
    .optional()
    .describe(
      `k of the weight exp(lambda + k W - lambda e^W), with W the sum of log ratios, at an advantage of at least 0; at least 0. For kind vespo. ${byLoss('2')}`,
    ),
  vespoLambdaPos: z
    .number()
    .optional()
    .describe(
      `lambda of the weight that vespoKPos describes, at an advantage of at least 0; at least 0. For kind vespo. ${byLoss('3')}`,
    ),
  vespoKNeg: z
    .number()
    .optional()
    .describe(
      `k of the weight that vespoKPos describes, at a negative advantage; at least 0. For kind vespo. ${byLoss('3')}`,
    ),
  vespoLambdaNeg: z
    .number()
    .optional()
    .describe(
      `lambda of the weight that vespoKPos describes, at a negative advantage; at least 0. For kind vespo. ${byLoss('2')}`,
    ),
  klClamp: z
    .number()
    .nullable()
    .optional()
    .describe(
      `Limit of the k3 estimate of a token, above 0, with no gradient beyond; null sets none. Needs a beta above 0. ${byLoss('null')}`,
    ),
  ratioClamp: z
    .number()
    .nullable()
    .optional()
    .describe(`Clamp log ratios to plus or minus this before exp, above 0; null clamps none. ${byLoss('20')}`),
  maskedMeanEps: z
    .number()
    .optional()
    .describe(`Added to token counts before dividing by them, at least 0. ${byLoss('0')}`),
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
  perDeviceTrainBatchSize: batch.default(8).describe('Sequences of one accumulation step.'),
  gradientAccumulationSteps: batch.default(1).describe('Accumulation steps of one optimizer step.'),
  lossAggregation: z
    .enum(['token-mean', 'group-token-mean'])
    .default('token-mean')
    .describe(
      'How token losses become one number: mean over all targets of a step, or mean over groups of sequences of their means.',
    ),
  aggregationGroup: positive
    .default(16)
    .describe(
      'Sequences of a group under lossAggregation group-token-mean; 16 is what the released run did on each of its devices.',
    ),
  aggregationInterleaved: z
    .boolean()
    .default(false)
    .describe(
      'Deal sequences to groups in turn instead of cutting consecutive ones, under lossAggregation group-token-mean.',
    ),
  maxLength: positive
    .optional()
    .describe(
      'Longest sequence in tokens; a longer row is a bad row: an error naming it, or left out and counted, as the data set has it. Default: no limit.',
    ),
})

const grpoFields = z.strictObject({
  ...common,
  learningRate: common.learningRate.default(1e-6),
  lrSchedulerType: common.lrSchedulerType.default('constant'),
  adamBeta2: common.adamBeta2.default(0.999),
  weightDecay: common.weightDecay.default(0.01),
  promptsPerStep: batch.default(64).describe('Prompts of one rollout.'),
  numGenerations: batch.min(2).default(8).describe('Completions sampled for each prompt: the size of a group.'),
  maxCompletionLength: positive.default(2048).describe('Longest completion in tokens.'),
  maxPromptLength: positive
    .default(2048)
    .describe('Longest prompt in tokens; longer ones are left out and counted, in evaluations too.'),
  temperature: z.number().min(1e-6).max(1e6).default(1).describe('Temperature of sampling.'),
  topP: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Sample from the smallest set of tokens whose probability reaches this.'),
  topK: count.default(0).describe('Sample from this many of the likeliest tokens; 0 keeps all.'),
  minP: fraction.default(0).describe("Sample from tokens of at least this times the likeliest one's probability."),
  repetitionPenalty: z
    .number()
    .min(1e-6)
    .max(1e6)
    .default(1)
    .describe('Divides the positive and multiplies the negative logits of tokens seen before.'),
  stepsPerGeneration: positive
    .default(1)
    .describe(
      'Optimizer updates into which the prompts of a step are split as evenly as they can be; at most promptsPerStep.',
    ),
  numIterations: positive.default(1).describe('Passes over the completions of a step.'),
  ...objective,
  advantage: z
    .enum(['grpo', 'center', 'rloo', 'batch', 'batch_raw'])
    .optional()
    .describe(`Advantage estimator. ${byLoss('grpo')}`),
  advantageEpsilon: z
    .number()
    .positive()
    .default(1e-6)
    .describe('Added to the standard deviation that the advantage divides by.'),
  maskTruncatedCompletions: z
    .boolean()
    .default(false)
    .describe('Completions cut at the length limit take no part in the loss.'),
  rewardWeights: z.array(z.number()).optional().describe('Weights of the reward functions, one each. Default: all 1.'),
  rewardTimeoutMs: positive.default(30_000).describe('Deadline of one call of a reward function, in milliseconds.'),
  maxUnscorable: fraction
    .default(0.2)
    .describe("Share of a step's completions that may be without a reward; a larger one stops the run."),
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

export type { GRPOArgs, SFTArgs } from './args-types.js'
export type ResolvedSFTArgs = z.output<typeof sftArgsSchema>
export type ResolvedGRPOArgs = z.output<typeof grpoArgsSchema>
