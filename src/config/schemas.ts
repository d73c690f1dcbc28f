/** What a configuration file may hold, per command. Arguments of the trainers have one schema each, shared with scripts. */

import { z } from 'zod'
import type { BenchmarkName } from '../eval/types.js'
import { rewardSchema, scoreSchema } from '../reward/by-name.js'
import { grpoArgsSchema, sftArgsSchema } from '../train/args.js'

const path = z.string().min(1)
const count = z.int().min(1)

/** Benchmarks that are built in. */
export const benchmarkNames: readonly BenchmarkName[] = ['mathvista', 'mathverse', 'mathvision', 'wemath', 'geometry3k']

const model = z
  .strictObject({
    path: path.describe('Model folder in the Hugging Face layout.'),
    dtype: z.enum(['float32', 'bfloat16', 'float64']).optional().describe('Numbers of the engine. Default float32.'),
    minPixels: count.optional().describe('Smallest area of a resized image. Default: preprocessor_config.json.'),
    maxPixels: count.optional().describe('Largest area of a resized image. Default: preprocessor_config.json.'),
  })
  .describe('The model.')

const reading = {
  imageRoot: path.optional().describe('Folder of image paths. Default: the folder of the data file.'),
  columns: z
    .record(z.string(), path)
    .optional()
    .describe('Columns that are called differently: standard name to yours.'),
  allowPaths: z.boolean().default(false).describe('Allow absolute image paths, ".." and links out of the image root.'),
  badRows: z.enum(['strict', 'skip']).default('strict').describe('Stop at bad rows, or leave them out and count them.'),
}

const trainData = z
  .strictObject({
    train: path.describe('Rows to train on: .jsonl or .json.'),
    eval: path.optional().describe('Rows to evaluate on while training.'),
    ...reading,
  })
  .describe('The data.')

/** A file of `coldstart sft`. */
const sftConfigSchema = z.strictObject({
  model,
  data: trainData,
  args: sftArgsSchema.prefault({}).describe('Arguments of SFTTrainer.'),
})

/** A file of `coldstart grpo`. */
const grpoConfigSchema = z.strictObject({
  model,
  data: trainData,
  rewards: z
    .array(rewardSchema)
    .min(1)
    .default(['accuracy'])
    .describe('Reward functions; args.rewardWeights weighs them.'),
  args: grpoArgsSchema.prefault({}).describe('Arguments of GRPOTrainer.'),
})

/** A file of `coldstart eval`. */
const evalConfigSchema = z.strictObject({
  model,
  data: z.strictObject({ test: path.describe('Rows to answer: .jsonl or .json.'), ...reading }).describe('The data.'),
  score: scoreSchema.default('accuracy').describe('Reward whose value, from 0 to 1, says how right a response is.'),
  generate: z
    .strictObject({
      maxNewTokens: count.default(512).describe('Longest response in tokens.'),
      temperature: z.number().min(0).default(0).describe('0 takes the likeliest token.'),
      topP: z.number().positive().max(1).default(1),
      topK: z.int().min(0).default(0),
      minP: z.number().min(0).max(1).default(0),
      repetitionPenalty: z.number().positive().default(1),
      seed: z.int().min(0).default(0),
      systemMessage: z.union([z.string(), z.literal(false)], 'expected a text or false').optional(),
    })
    .prefault({})
    .describe('How responses are generated.'),
  batchSize: count.default(64).describe('Rows generated together.'),
  outputDir: path.optional().describe('Folder for eval.json and responses.jsonl. Default: nothing is written.'),
})

const judge = 'expected rules, none, or the address of an endpoint (http://…/v1)'
const judges = [z.literal('rules'), z.literal('none'), z.url({ protocol: /^https?$/, error: judge })]

/** A file of `coldstart eval` that runs a benchmark: everything from prompt to score is the protocol's. */
const benchmarkConfigSchema = z.strictObject({
  model: z
    .strictObject({ path: model.shape.path, dtype: model.shape.dtype })
    .optional()
    .describe('The model; benchmark.responses stands in its place.'),
  benchmark: z
    .strictObject({
      name: z.enum(benchmarkNames),
      data: path.describe('Data file (.parquet, .jsonl, .json), or a folder in a published layout.'),
      split: path.optional().describe("Default: the benchmark's first, as mathvista's testmini."),
      preset: z
        .enum(['official', 'paper', 'vlmevalkit'])
        .optional()
        .describe('Whose protocol: the benchmark authors (default, if they have one), the paper, or the toolkit.'),
      options: z
        .strictObject({
          suffix: z.string().optional(),
          quick: z.boolean().optional(),
          ignoreEmpty: z.boolean().optional(),
          legacyInt: z.boolean().optional(),
          cot: z.boolean().optional(),
          lastWords: z.int().min(0).optional(),
        })
        .optional()
        .describe('Switches of the protocol; one that it does not read is refused.'),
      imageRoot: path.optional().describe('Folder of image paths. Default: the folder of the data.'),
      partial: z.boolean().default(false).describe('The data is a part of the split: any number of rows is right.'),
      limit: count.optional().describe('Answer the first rows only.'),
      responses: path.optional().describe('JSON lines {id, response} in place of a model.'),
      judge: z
        .union(judges, judge)
        .optional()
        .describe(
          'Who settles what rules cannot: rules, none, or the address of an OpenAI-compatible endpoint. Default: rules; in the folder of a scored run, its last judge by the stored replies.',
        ),
      judgeModel: path.optional().describe('Model to ask for at the endpoint.'),
      judgeApiKeyEnv: path.optional().describe('Environment variable that holds its key.'),
      judgeMaxCalls: count.optional().describe('Calls at most; required above 1000.'),
      judgeConcurrency: count.optional().describe('Calls in flight. Default 8.'),
      seed: z.int().min(0).default(0).describe('Seed of sampling.'),
      maxNewTokens: count.optional().describe("Longest response in tokens. Default: the protocol's."),
      batchSize: count.default(16).describe('Rows generated together.'),
    })
    .describe('What is measured, on what, and how.'),
  outputDir: path.optional().describe('Folder of the evaluation. Default: runs/<benchmark>-<preset>-<model>.'),
})

/** The schemas by command. A file of `coldstart eval` that has the key `benchmark` runs one, else it answers `data.test`. */
export const configSchemas = {
  sft: sftConfigSchema,
  grpo: grpoConfigSchema,
  eval: z.union([evalConfigSchema, benchmarkConfigSchema]),
} as const

/** The one schema that a value is meant for: a union's errors would be those of all its members. */
export function schemaFor(command: ConfigCommand, value: unknown): z.ZodType {
  if (command !== 'eval') return configSchemas[command]
  const isBenchmark = typeof value === 'object' && value !== null && Object.hasOwn(value, 'benchmark')
  return isBenchmark ? benchmarkConfigSchema : evalConfigSchema
}

/** Commands that take a configuration file. */
export type ConfigCommand = keyof typeof configSchemas

/** A validated configuration, defaults filled in. */
export type Config<C extends ConfigCommand> = z.output<(typeof configSchemas)[C]>
