/** What a configuration file may hold, per command. Arguments of the trainers have one schema each, shared with scripts. */

import { z } from 'zod'
import { grpoArgsSchema, sftArgsSchema } from '../train/args.js'

const path = z.string().min(1)
const count = z.int().min(1)

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

const reward = path.describe('Name of a built-in reward, or module.js, or module.js#export.')

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
  rewards: z.array(reward).min(1).default(['exactBoxed']).describe('Reward functions; args.rewardWeights weighs them.'),
  args: grpoArgsSchema.prefault({}).describe('Arguments of GRPOTrainer.'),
})

/** A file of `coldstart eval`. */
const evalConfigSchema = z.strictObject({
  model,
  data: z.strictObject({ test: path.describe('Rows to answer: .jsonl or .json.'), ...reading }).describe('The data.'),
  score: reward.default('exactBoxed').describe('Reward whose value, from 0 to 1, says how right a response is.'),
  generate: z
    .strictObject({
      maxNewTokens: count.default(512).describe('Longest response in tokens.'),
      temperature: z.number().min(0).default(0).describe('0 takes the likeliest token.'),
      topP: z.number().positive().max(1).default(1),
      topK: z.int().min(0).default(0),
      minP: z.number().min(0).max(1).default(0),
      repetitionPenalty: z.number().positive().default(1),
      seed: z.int().min(0).default(0),
      systemMessage: z.union([z.string(), z.literal(false)]).optional(),
    })
    .prefault({})
    .describe('How responses are generated.'),
  batchSize: count.default(64).describe('Rows generated together.'),
  outputDir: path.optional().describe('Folder for eval.json and responses.jsonl. Default: nothing is written.'),
})

/** The schemas by command. */
export const configSchemas = { sft: sftConfigSchema, grpo: grpoConfigSchema, eval: evalConfigSchema } as const

/** Commands that take a configuration file. */
export type ConfigCommand = keyof typeof configSchemas

/** A validated configuration, defaults filled in. */
export type Config<C extends ConfigCommand> = z.output<(typeof configSchemas)[C]>
