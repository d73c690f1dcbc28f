// The objective and the advantages of a step, by the formulas of the native side.
import { ColdstartError } from '../errors.js'
import { native, unwrap } from '../native/index.js'
import { grpoArgsSchema, objectiveFields, type ResolvedGRPOArgs } from './args.js'

/** Estimators that divide by no standard deviation. */
const withoutDeviation: ReadonlySet<string> = new Set(['center', 'rloo'])
const defaultEpsilon = grpoArgsSchema.shape.advantageEpsilon.parse(undefined)

export interface ResolvedObjective {
  /** The named loss and what overrides it, as the engine takes them. */
  json: string
  needsReference: boolean
  advantage: NonNullable<ResolvedGRPOArgs['advantage']>
}

/** Named loss and overrides as one complete objective; `E_CONFIG` names a field out of range. */
export function resolveObjective(args: ResolvedGRPOArgs): ResolvedObjective {
  const overrides = Object.fromEntries(
    objectiveFields.filter((name) => args[name] !== undefined).map((name) => [name, args[name]]),
  )
  const resolved = unwrap(
    native().resolveObjective(
      JSON.stringify({
        ...overrides,
        maxCompletionLength: args.maxCompletionLength,
        overlongFilter: args.maskTruncatedCompletions,
      }),
    ),
  )
  const advantage = args.advantage ?? (resolved.advantage as ResolvedObjective['advantage'])
  if (withoutDeviation.has(advantage) && args.advantageEpsilon !== defaultEpsilon) {
    throw new ColdstartError('E_CONFIG', `advantageEpsilon: has no effect with advantage ${advantage}`)
  }
  return { json: resolved.json, needsReference: resolved.needsReference, advantage }
}

/** Advantage of every completion, NaN where it has no reward. Groups are consecutive runs of `numGenerations`. */
export function advantagesOf(
  rewards: readonly (number | null)[],
  args: Pick<ResolvedGRPOArgs, 'numGenerations' | 'advantageEpsilon'>,
  objective: ResolvedObjective,
): Float64Array {
  const values = Float64Array.from(rewards, (reward) => reward ?? Number.NaN)
  return unwrap(native().advantages(values, args.numGenerations, objective.advantage, args.advantageEpsilon))
}
