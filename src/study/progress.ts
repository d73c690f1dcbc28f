// How much of the study is left, in seconds: a guess from what was done so far and what each kind of work costs relative to the others.
import type { Scale } from './recipe.js'
import type { Arm } from './types.js'

// Seconds at full size on two cores of a 2023 server. Only their ratios matter once the guess has seen some work.
const SECONDS_PER_STEP: Record<Arm, number> = { base: 0.031, rl: 0.022, sft: 0.055, 'sft+rl': 0.1 }
const SECONDS_PER_ANSWER = 0.003
/** Seconds of work at the speed above that the guess believes in before it has seen any: the first step is always slow. */
const PRIOR = 15

/** Counts work as it is done. */
export class Progress {
  readonly #began = performance.now()
  readonly #total: number
  #done = 0

  constructor(scale: Scale, seeds: number) {
    const steps: Record<Arm, number> = {
      base: scale.baseSteps,
      rl: scale.rlAloneSteps,
      sft: scale.coldStartSteps,
      'sft+rl': scale.rlSteps,
    }
    const training = Object.entries(steps).reduce((sum, [arm, count]) => sum + count * SECONDS_PER_STEP[arm as Arm], 0)
    // Four arms answer every set, and the base model reads the table's images as well.
    const answers = 5 * scale.heldOut + 4 * 2 * scale.otherLengths
    this.#total = seeds * (training + answers * SECONDS_PER_ANSWER)
  }

  step(arm: Arm): void {
    this.#done += SECONDS_PER_STEP[arm]
  }

  answers(count: number): void {
    this.#done += count * SECONDS_PER_ANSWER
  }

  /** Never below 0. */
  get secondsLeft(): number {
    const elapsed = (performance.now() - this.#began) / 1000
    return Math.max(0, this.#total - this.#done) * ((elapsed + PRIOR) / (this.#done + PRIOR))
  }
}
