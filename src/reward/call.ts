// Calls reward functions so that nothing they do harms the run: deadline, exceptions and odd values all become counted nulls.
import type { Row } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import { traitsOf } from './traits.js'
import type { Judgement, RewardBatch, RewardFunc } from './types.js'

export interface Scores {
  /** Weighted sum a completion; null where every function said null, and where one that counts failed. */
  total: (number | null)[]
  /** Values of each function, in the order given. */
  byFunction: { name: string; values: (number | null)[] }[]
  /** Values that are missing through exceptions and odd answers. */
  errors: number
  /** Calls that came late. */
  timeouts: number
  /** What went wrong, for a warning. */
  messages: string[]
}

/** After the deadline a function may still hand in what it has; its signal has told it to. */
const graceMs = 250

/** Asks every function about every completion. Only an abort of the run rejects. */
export async function callRewards(
  functions: readonly RewardFunc[],
  weights: readonly number[],
  batch: Omit<RewardBatch, 'signal'>,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Scores> {
  options.signal.throwIfAborted()
  const judgements = await Promise.all(functions.map((reward) => callOne(reward, batch, options)))
  options.signal.throwIfAborted()
  const names = uniqueNames(functions)
  return {
    total: combined(judgements, weights).values,
    byFunction: judgements.map(({ values }, f) => ({ name: names[f] as string, values })),
    errors: sum(judgements.map(({ errors }) => errors)),
    timeouts: sum(judgements.map(({ timeouts }) => timeouts)),
    messages: judgements.flatMap(({ messages }, f) => messages.map((message) => `${names[f]}: ${message}`)),
  }
}

/** Asks one function without a deadline: an exception rejects, odd values are faults of their completions. */
export async function judge(reward: RewardFunc, batch: RewardBatch): Promise<Judgement> {
  const own = traitsOf(reward).judge
  return own ? own(batch) : checked(await reward(batch), batch.completions.length)
}

/** Asks one function about one text whose tokens are not at hand. */
export function judgeText(reward: RewardFunc, text: string, row: Row, signal: AbortSignal): Promise<Judgement> {
  return judge(reward, {
    prompts: [row.messages],
    completions: [text],
    completionTokens: [Number.NaN],
    truncated: [false],
    answers: [row.answer],
    rows: [row],
    signal,
    step: 0,
  })
}

/** The answer of a function, held against what was asked. Throws for anything but an array of `n`. */
function checked(values: unknown, n: number): Judgement {
  if (!Array.isArray(values) || values.length !== n) {
    const got = Array.isArray(values) ? `an array of ${values.length}` : typeof values
    throw new ColdstartError('E_REWARD', `expected an array of ${n} rewards, got ${got}`)
  }
  const isOdd = (value: unknown): boolean => value !== null && !(typeof value === 'number' && Number.isFinite(value))
  // Array.from, not map: a hole in a sparse array is odd too.
  const failed = Array.from(values, isOdd)
  const odd = failed.filter(Boolean).length
  const first = describe(values[failed.indexOf(true)])
  return {
    values: Array.from(values, (value, i) => (failed[i] ? null : (value as number | null))),
    failed,
    errors: odd,
    timeouts: 0,
    messages: odd > 0 ? [`${odd} rewards are neither a finite number nor null, first ${first}`] : [],
  }
}

/** The judgement of a weighted sum. Nulls are left out; a fault in a part that counts is one of the sum. */
export function combined(parts: readonly Judgement[], weights: readonly number[]): Judgement {
  const n = parts[0]?.values.length ?? 0
  const weight = (f: number): number => weights[f] ?? 1
  const isWeightless = parts.every((_, f) => weight(f) === 0)
  const failed = Array.from({ length: n }, (_, i) => parts.some((part, f) => part.failed[i] && weight(f) !== 0))
  const values = Array.from({ length: n }, (_, i) => {
    if (failed[i]) return null
    const terms = parts.flatMap((part, f) => {
      const value = part.values[i] ?? null
      // What weighs nothing only watches: it does not stand in for a reward that is missing.
      return value === null || (weight(f) === 0 && !isWeightless) ? [] : [weight(f) * value]
    })
    return terms.length === 0 ? null : sum(terms)
  })
  return {
    values,
    failed,
    errors: sum(parts.map(({ errors }) => errors)),
    timeouts: sum(parts.map(({ timeouts }) => timeouts)),
    messages: parts.flatMap(({ messages }) => messages),
  }
}

/** The judgement of a call that answered nothing about `n` completions. */
export function failure(n: number, isLate: boolean, message: string): Judgement {
  return {
    values: Array(n).fill(null),
    failed: Array(n).fill(true),
    errors: isLate ? 0 : n,
    timeouts: Number(isLate),
    messages: [message],
  }
}

async function callOne(
  reward: RewardFunc,
  batch: Omit<RewardBatch, 'signal'>,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Judgement> {
  // The signal that a function gets ends with the call, and so does whatever it hangs on it; that of the run outlives every batch.
  const own = new AbortController()
  const { signal } = own
  const timers: NodeJS.Timeout[] = []
  let isLate = false
  let stop = (): void => undefined
  const ended = new Promise<never>((_, reject) => {
    stop = () => {
      own.abort(options.signal.reason)
      reject(options.signal.reason)
    }
    options.signal.addEventListener('abort', stop, { once: true })
    const late = new ColdstartError('E_REWARD_TIMEOUT', `no answer within ${options.timeoutMs} ms`)
    const expire = () => {
      isLate = true
      own.abort(late)
      timers.push(setTimeout(() => reject(late), graceMs))
    }
    timers.push(setTimeout(expire, options.timeoutMs))
  })
  try {
    const judgement = await Promise.race([Promise.resolve().then(() => judge(reward, { ...batch, signal })), ended])
    return isLate ? { ...judgement, timeouts: Math.max(1, judgement.timeouts) } : judgement
  } catch (error) {
    return failure(batch.completions.length, isLate, messageOf(error))
  } finally {
    options.signal.removeEventListener('abort', stop)
    for (const timer of timers) clearTimeout(timer)
  }
}

/** Names under which rewards appear in metrics; a repeated one gets `_2`, `_3`, … */
function uniqueNames(functions: readonly RewardFunc[]): string[] {
  const names: string[] = []
  for (const [index, { name }] of functions.entries()) {
    const base = name || `reward_${index}`
    let unique = base
    for (let k = 2; names.includes(unique); k++) unique = `${base}_${k}`
    names.push(unique)
  }
  return names
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : describe(error)
}

/** A value of a stranger in a few characters; nothing that it does when looked at escapes. */
function describe(value: unknown): string {
  try {
    return String(value).slice(0, 200)
  } catch {
    return typeof value
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
