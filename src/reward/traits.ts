// What the package knows about its own reward functions beyond calling them. To everybody else they are plain functions.
import type { Profile } from './grade.js'
import type { Judgement, RewardBatch, RewardFunc } from './types.js'

interface Traits {
  /** Judges a batch and tells faults apart from nulls. */
  judge?: (batch: RewardBatch) => Promise<Judgement>
  /** Rules by which gold answers are compared. */
  profiles?: readonly Profile[]
  /** Options that decide its values, where they are more than its name says. */
  options?: Readonly<Record<string, unknown>>
}

const traits = new WeakMap<object, Traits>()

/** Gives a function the name under which its values appear in metrics. */
export function named<F extends (...args: never[]) => unknown>(name: string, reward: F): F {
  return Object.defineProperty(reward, 'name', { value: name })
}

export function withTraits<F extends RewardFunc>(reward: F, own: Traits): F {
  traits.set(reward, own)
  return reward
}

export function traitsOf(reward: RewardFunc): Traits {
  return traits.get(reward) ?? {}
}

/** A reward as a run remembers it: a continuation with another one would be another run. */
export function identityOf(reward: RewardFunc): Record<string, unknown> {
  const { profiles, options } = traitsOf(reward)
  return { name: reward.name, ...(profiles ? { profiles } : {}), ...options }
}
