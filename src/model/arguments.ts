// What callers may ask of a model: schemas of prompts and of generation options.
import { z } from 'zod'
import { checked } from '../config/check.js'
import type { Message } from '../data/types.js'
import type { ProcessorOptions } from '../processor/processor.js'
import type { GenerateOptions, PromptInput } from './types.js'

/** Ids cross as 32-bit numbers. Which of them exist is for the model to say. */
const id = z.int().min(0).max(0xffff_ffff)
const length = z.int().min(1).max(1_000_000)

/** Within what the smallest of the engine's number types divides by. */
const temperature = z
  .number()
  .refine((value) => value === 0 || (value >= 1e-6 && value <= 1e6), 'expected 0 or a number from 1e-6 to 1e6')
const repetitionPenalty = z.number().min(1e-6).max(1e6)

const fields = {
  maxNewTokens: length.optional(),
  numReturnSequences: z.int().min(1).max(100_000).optional(),
  temperature: temperature.optional(),
  topK: z.int().min(0).max(0xffff_ffff).optional(),
  topP: z.number().positive().max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
  repetitionPenalty: repetitionPenalty.optional(),
  seed: z.int().min(0).optional(),
  bannedIds: z.array(id).optional(),
  stopIds: z.array(id).optional(),
  stopStrings: z.array(z.string().min(1, 'expected a text of at least one character')).optional(),
  systemMessage: z.union([z.string(), z.literal(false)], 'expected a text or false').optional(),
  maxPromptLength: length.optional(),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
} satisfies Record<keyof GenerateOptions, z.ZodType>

/** Schema of `GenerateOptions`. */
export const generateOptionsSchema = z.strictObject(fields, 'expected an object of options')

/** The same for a stream. */
export const streamOptionsSchema = generateOptionsSchema.extend({
  numReturnSequences: z.literal(1, 'expected 1, as a stream is one completion').optional(),
})

/** How images are prepared; ranges are for the processor to say. */
const processing = {
  minPixels: z.number().optional(),
  maxPixels: z.number().optional(),
  alpha: z.enum(['white', 'drop']).optional(),
  autoOrient: z.boolean().optional(),
  imageCacheBytes: z.number().optional(),
} satisfies Record<keyof ProcessorOptions, z.ZodType>

const dtype = z.enum(['float32', 'bfloat16', 'float64']).optional()
const object = z.record(z.string(), z.unknown())

/** Schema of `FromPretrainedOptions`. */
export const fromPretrainedSchema = z.strictObject({ ...processing, dtype, signal: fields.signal })

/** Schema of `FromConfigOptions`. */
export const fromConfigSchema = z.strictObject({
  ...processing,
  dtype,
  seed: z.number().optional(),
  tokenizer: z.union([z.string(), object], 'expected the path or the content of a tokenizer.json'),
  preprocessor: object.optional(),
  generationConfig: object.optional(),
})

/** Schema of the options of `savePretrained`. */
export const saveOptionsSchema = z.strictObject({ dtype: z.enum(['float32', 'bfloat16']).optional() })

const part = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text'), text: z.string() }),
    z.strictObject({
      type: z.literal('image'),
      image: z.union([z.string(), z.instanceof(Uint8Array)], 'expected a path or the bytes of an image'),
    }),
  ],
  'expected text or image',
)

const message = z.strictObject(
  {
    role: z.enum(['system', 'user', 'assistant'], 'expected system, user or assistant'),
    // A text is one part: alternatives would hide which part is at fault.
    content: z.preprocess(
      (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content),
      z.array(part, 'expected a text or a list of parts'),
    ),
  },
  'expected a message { role, content }',
)

const conversation = z.array(message).min(1, 'expected at least one message')

/** A row of a data set is a prompt too; what else it carries has no part in it. */
const row = z.strictObject(
  {
    messages: conversation,
    id: z.unknown().optional(),
    source: z.unknown().optional(),
    answer: z.unknown().optional(),
    extra: z.unknown().optional(),
  },
  'expected a text, a list of messages or { messages }',
)

/** The conversations of one prompt or many. Throws `E_USAGE` naming the prompt, message and part at fault. */
export function conversationsOf(prompts: PromptInput | readonly PromptInput[]): (readonly Message[])[] {
  if (Array.isArray(prompts) && !isConversation(prompts)) {
    return prompts.map((prompt, index) => conversationOf(prompt, `prompts[${index}]`))
  }
  return [conversationOf(prompts, 'prompt')]
}

/** The conversation of one prompt; errors call it `what`. */
export function conversationOf(prompt: unknown, what: string): readonly Message[] {
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }]
  if (Array.isArray(prompt)) return checked(conversation, prompt, what, 'E_USAGE')
  return checked(row, prompt, what, 'E_USAGE').messages
}

/** A list that begins with a message is one conversation; every other list is one of prompts. */
function isConversation(prompts: readonly unknown[]): boolean {
  const [first] = prompts
  return typeof first === 'object' && first !== null && 'role' in first
}
