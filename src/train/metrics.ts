// Numbers of a GRPO step under the names of the field.
import type { Scores } from '../reward/call.js'
import type { ResolvedGRPOArgs } from './args.js'
import type { Rollout } from './rollout.js'

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function spread(name: string, values: readonly number[]): Record<string, number> {
  if (values.length === 0) return {}
  return {
    [`${name}/mean`]: mean(values),
    [`${name}/max`]: values.reduce((a, b) => Math.max(a, b)),
    [`${name}/min`]: values.reduce((a, b) => Math.min(a, b)),
  }
}

/** The mean of what is known; of nothing there is none. */
function meanOf(name: string, values: readonly (number | null)[]): Record<string, number> {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? {} : { [name]: mean(known) }
}

/** What sampling and rewards say about a step. */
export function rolloutMetrics(
  rollouts: readonly Rollout[],
  scores: Scores,
  advantages: Float64Array,
  args: Pick<ResolvedGRPOArgs, 'numGenerations'>,
): Record<string, number> {
  const completions = rollouts.flatMap((rollout) => rollout.completions)
  const known = scores.total.filter((value) => value !== null)
  const truncated = completions.filter(({ finishReason }) => finishReason === 'length').length / completions.length
  const zeroStd = rollouts.filter((_, g) => {
    const group = scores.total
      .slice(g * args.numGenerations, (g + 1) * args.numGenerations)
      .filter((value) => value !== null)
    return group.every((value) => value === group[0])
  }).length
  return {
    ...meanOf('reward/overall', scores.total),
    ...Object.assign({}, ...scores.byFunction.map(({ name, values }) => meanOf(`reward/${name}`, values))),
    'reward/errors': scores.errors,
    'reward/timeouts': scores.timeouts,
    ...spread('critic/rewards', known),
    ...spread(
      'critic/advantages',
      [...advantages].filter((value) => !Number.isNaN(value)),
    ),
    ...spread(
      'response_length',
      completions.map(({ ids }) => ids.length),
    ),
    'response_length/clip_ratio': truncated,
    ...spread(
      'prompt_length',
      rollouts.map(({ row }) => row.prompt.ids.length),
    ),
    'mismatch/kept_mass': mean(completions.flatMap(({ keptMass }) => [...keptMass])),
    'batch/zero_std_ratio': zeroStd / rollouts.length,
    'batch/truncated_ratio': truncated,
    'batch/unscorable_ratio': 1 - known.length / scores.total.length,
  }
}

/** What the engine says about one update. */
export interface UpdateResult {
  metrics: Record<string, number>
  gradNorm: number
  skipped: boolean
  learningRate: number
}

/** Mean over the updates of a step, of everything the engine measured; the extremes of the ratio as extremes. */
export function updateMetrics(updates: readonly UpdateResult[]): Record<string, number> {
  const names = [...new Set(updates.flatMap(({ metrics }) => Object.keys(metrics)))]
  const fold = (name: string, values: number[]) =>
    name.endsWith('_max') ? Math.max(...values) : name.endsWith('_min') ? Math.min(...values) : mean(values)
  return {
    ...Object.fromEntries(
      names.map((name) => [
        name,
        fold(
          name,
          updates.map(({ metrics }) => metrics[name]).filter((value) => value !== undefined),
        ),
      ]),
    ),
    'actor/grad_norm': mean(updates.map(({ gradNorm }) => gradNorm)),
    'actor/lr': updates.at(-1)?.learningRate ?? 0,
    'train/skipped_updates': updates.filter(({ skipped }) => skipped).length,
  }
}
