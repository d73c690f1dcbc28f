// Rewards as configurations name them: a word, or an object with options; and modules of the user's by their path.
import { z } from 'zod'
import { faultsIn } from '../config/check.js'
import { closest } from '../config/suggest.js'
import { ColdstartError } from '../errors.js'
import { accuracyReward } from './accuracy.js'
import { boxedReward, exactBoxed } from './boxed.js'
import { mathReward, r1vReward } from './easyr1.js'
import { formatReward } from './format.js'
import { lengthReward, softOverlongReward } from './length.js'
import { rewardFromModule } from './pool/module-reward.js'
import { repetitionReward } from './repetition.js'
import type { RewardFunc } from './types.js'

const count = z.int().min(1)
const profile = z.enum(['mathruler', 'lenient']).optional().describe('Rules of comparison. Default mathruler.')
const ms = count.optional()

const accuracy = z.strictObject({ name: z.literal('accuracy'), profile })
const format = z.strictObject({
  name: z.literal('format'),
  style: z.enum(['think', 'answer']).optional().describe('Shape of a response. Default think.'),
})
const boxed = z.strictObject({ name: z.literal('boxed') })
const exact = z.strictObject({ name: z.literal('exactBoxed') })
const math = z.strictObject({ name: z.literal('math') })
const r1v = z.strictObject({ name: z.literal('r1v') })
const softOverlong = z.strictObject({
  name: z.literal('softOverlong'),
  maxCompletionLength: count.describe('As in args.'),
  bufferLength: count.describe('Tokens before the limit over which the penalty grows.'),
  factor: z.number().min(0).optional().describe('Full penalty. Default 1.'),
})
const length = z.strictObject({ name: z.literal('length'), profile })
const repetition = z.strictObject({
  name: z.literal('repetition'),
  ngramSize: z.int().min(1).max(16).optional().describe('Words of an n-gram. Default 3.'),
  maxPenalty: z.number().max(0).optional().describe('Reward of pure repetition. Default -1.'),
})
const module = z.strictObject({
  module: z
    .string()
    .regex(/\.[cm]?js(#.+)?$/, 'expected the path of a .js file, or path#export')
    .describe('module.js, or module.js#export.'),
  softMs: ms.describe('When the signal of a call fires. Default 1000.'),
  hardMs: ms.describe('When the process of a call is killed. Default 5000.'),
  processes: count.optional().describe('Processes at most. Default: one a core, at most 4.'),
  memoryMb: count.optional().describe('Heap of a process in MiB. Default 256.'),
  env: z.array(z.string()).optional().describe('Environment variables that the module gets.'),
})

/** Rewards whose values lie from 0 to 1 and depend on the text alone. */
const scores = [accuracy, format, boxed, exact, math, r1v] as const
const all = [...scores, softOverlong, length, repetition] as const

type Named = z.output<(typeof all)[number]>
/** What a configuration may hold in place of a reward. */
export type RewardEntry = string | Named | z.output<typeof module>

const make: { [N in Named['name']]: (options: Extract<Named, { name: N }>) => RewardFunc } = {
  accuracy: accuracyReward,
  format: formatReward,
  boxed: () => boxedReward,
  exactBoxed: () => exactBoxed,
  math: () => mathReward,
  r1v: () => r1vReward,
  softOverlong: softOverlongReward,
  length: lengthReward,
  repetition: repetitionReward,
}

const names = Object.keys(make)
const scoreNames = scores.map((schema) => schema.shape.name.value as string)

/** A reward of `coldstart grpo`. */
export const rewardSchema = entrySchema(all, names)
/** The score of `coldstart eval`. */
export const scoreSchema = entrySchema(scores, scoreNames)

/**
 * The reward that an entry means. One that holds processes has a `close`.
 *
 * @throws ColdstartError `E_CONFIG` for an unknown name, option or export, `E_REWARD` for a module that fails to load.
 */
export async function rewardByName(entry: RewardEntry): Promise<RewardFunc & { close?: () => Promise<void> }> {
  const fault = faultOf(entry, all, names)
  if (fault !== undefined) throw new ColdstartError('E_CONFIG', fault)
  const options = spelledOut(entry)
  if (!('name' in options)) {
    const { module, ...limits } = options
    return rewardFromModule(module, limits)
  }
  return (make[options.name] as (options: Named) => RewardFunc)(options)
}

type Schemas = readonly z.ZodObject[]

/** Entries that are fine by {@link faultOf}, whose messages speak of the reward that was meant; a union's speak of all. */
function entrySchema(schemas: Schemas, known: readonly string[]): z.ZodType<RewardEntry> {
  const text = z.string().describe(`One of ${known.join(', ')}; or module.js, or module.js#export.`)
  const { $schema, ...documented } = z.toJSONSchema(z.union([text, ...schemas, module]), { io: 'input' })
  const fault = (issue: { input?: unknown }): string => faultOf(issue.input, schemas, known) ?? ''
  const isFine = (entry: unknown): entry is RewardEntry => faultOf(entry, schemas, known) === undefined
  return z.unknown().refine(isFine, { error: fault }).meta(documented) as z.ZodType<RewardEntry>
}

/** `accuracy` for `{ name: accuracy }`, `./mine.js` for `{ module: ./mine.js }`. */
function spelledOut(entry: RewardEntry): Exclude<RewardEntry, string> {
  if (typeof entry !== 'string') return entry
  return isModulePath(entry) ? { module: entry } : ({ name: entry } as Named)
}

const isModulePath = (text: string): boolean => /\.[cm]?js(#|$)/.test(text)

const sentence = (faults: readonly string[]): string | undefined => (faults.length > 0 ? faults.join('; ') : undefined)

/** What is wrong with an entry, as a sentence; undefined for one that can be made. */
function faultOf(entry: unknown, schemas: Schemas, known: readonly string[]): string | undefined {
  if (typeof entry !== 'string' && (typeof entry !== 'object' || entry === null)) {
    return 'expected the name of a reward, or an object with name or module'
  }
  const object: object = typeof entry === 'string' ? spelledOut(entry) : entry
  if ('module' in object) return sentence(faultsIn(module, object, 'module'))
  const name = String((object as { name?: unknown }).name)
  const schema = schemas.find(({ shape }) => (shape.name as z.ZodLiteral<string>).value === name)
  if (schema) return sentence(faultsIn(schema, object, name))
  const what = `unknown reward ${JSON.stringify(name)}`
  if (names.includes(name)) return `${name} is no score: it depends on more than the text, or lies outside 0 to 1`
  const near = closest(name, known)
  return near === undefined
    ? `${what}; built in: ${known.join(', ')}; or the path of a .js module`
    : `${what}; did you mean ${near}?`
}
