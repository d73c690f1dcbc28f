import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Progress } from '../../src/study/progress.js'
import { FULL } from '../../src/study/recipe.js'
import { ARMS } from '../../src/study/types.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** The first `upTo` stages of a seed with their answers. */
function work(progress: Progress, upTo: number): void {
  const steps = { base: FULL.baseSteps, rl: FULL.rlAloneSteps, sft: FULL.coldStartSteps, 'sft+rl': FULL.rlSteps }
  for (const arm of ARMS.slice(0, upTo)) {
    for (let i = 0; i < steps[arm]; i++) progress.step(arm)
    progress.answers(FULL.heldOut + 2 * FULL.otherLengths)
  }
}

it('a guess exists before any work and ends at 0', () => {
  const progress = new Progress(FULL, 1)
  expect(progress.secondsLeft).toBeGreaterThan(30)
  work(progress, 4)
  progress.answers(FULL.heldOut)
  expect(progress.secondsLeft).toBeCloseTo(0, 6)
})

it('a machine of half the speed needs about twice as long for the rest', () => {
  const left = (seconds: number) => {
    const progress = new Progress(FULL, 5)
    work(progress, 4)
    vi.advanceTimersByTime(seconds * 1000)
    return progress.secondsLeft
  }
  expect(left(400) / left(200)).toBeCloseTo(2, 0)
})

it('more seeds take more time', () => {
  expect(new Progress(FULL, 5).secondsLeft).toBeCloseTo(5 * new Progress(FULL, 1).secondsLeft, 6)
})
