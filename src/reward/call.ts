// Calls reward functions so that nothing they do harms the run: deadline, exceptions and odd values all become counted nulls.
import { ColdstartError } from '../errors.js'
import type { RewardBatch, RewardFunc } from './types.js'

export interface Scores {
  /** Weighted sum a completion; null where every function said null. */
  total: (number | null)[]
  /** Values of each function, in the order given. */
  byFunction: { name: string; values: (number | null)[] }[]
  errors: number
  timeouts: number
  /** What went wrong, for a warning. */
  messages: string[]
}

/** Asks every function about every completion. Only an abort of the run rejects. */
export async function callRewards(
  functions: readonly RewardFunc[],
  weights: readonly number[],
  batch: Omit<RewardBatch, 'signal'>,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Scores> {
  const scores: Scores = { total: [], byFunction: [], errors: 0, timeouts: 0, messages: [] }
  const results = await Promise.all(functions.map((reward) => callOne(reward, batch, options)))
  options.signal.throwIfAborted()
  for (const [index, result] of results.entries()) {
    const name = rewardName(functions[index] as RewardFunc, index)
    scores.errors += result.errors
    scores.timeouts += result.timedOut ? 1 : 0
    if (result.message) scores.messages.push(`${name}: ${result.message}`)
    scores.byFunction.push({ name, values: result.values })
  }
  scores.total = batch.completions.map((_, i) => {
    const parts = scores.byFunction.map(({ values }, f) => ({ value: values[i] ?? null, weight: weights[f] ?? 1 }))
    const scored = parts.filter((part): part is { value: number; weight: number } => part.value !== null)
    return scored.length === 0 ? null : scored.reduce((sum, part) => sum + part.weight * part.value, 0)
  })
  return scores
}

/** Name under which a reward appears in metrics. */
function rewardName(reward: RewardFunc, index: number): string {
  return reward.name || `reward_${index}`
}

async function callOne(
  reward: RewardFunc,
  batch: Omit<RewardBatch, 'signal'>,
  options: { timeoutMs: number; signal: AbortSignal },
) {
  const n = batch.completions.length
  const nothing = Array.from({ length: n }, () => null)
  const deadline = new AbortController()
  const signal = AbortSignal.any([options.signal, deadline.signal])
  let timer: NodeJS.Timeout | undefined
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    timer = setTimeout(
      () => deadline.abort(new ColdstartError('E_REWARD_TIMEOUT', `no answer within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    )
  })
  try {
    const values = await Promise.race([Promise.resolve().then(() => reward({ ...batch, signal })), ended])
    if (!Array.isArray(values) || values.length !== n) {
      const got = Array.isArray(values) ? `an array of ${values.length}` : typeof values
      return { values: nothing, errors: n, timedOut: false, message: `expected an array of ${n} rewards, got ${got}` }
    }
    const odd = values.filter((value) => value !== null && !(typeof value === 'number' && Number.isFinite(value)))
    return {
      values: values.map((value) => (typeof value === 'number' && Number.isFinite(value) ? value : null)),
      errors: odd.length,
      timedOut: false,
      message:
        odd.length > 0
          ? `${odd.length} rewards are neither a finite number nor null, first ${String(odd[0])}`
          : undefined,
    }
  } catch (error) {
    const timedOut = deadline.signal.aborted
    const message = error instanceof Error ? error.message : String(error)
    return { values: nothing, errors: timedOut ? 0 : n, timedOut, message }
  } finally {
    clearTimeout(timer)
  }
}
