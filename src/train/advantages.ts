// The objective and the advantages of a step, by the formulas of the native side.
import { native, unwrap } from '../native/index.js'
import { objectiveFields, type ResolvedGRPOArgs } from './args.js'

export interface ResolvedObjective {
  /** Every field of the objective, as the engine takes it. */
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
  return {
    json: resolved.json,
    needsReference: resolved.needsReference,
    advantage: args.advantage ?? (resolved.advantage as ResolvedObjective['advantage']),
  }
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
