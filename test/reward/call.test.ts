import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { callRewards } from '../../src/reward/call.js'
import type { RewardFunc } from '../../src/reward/types.js'

const batch = {
  prompts: [[], []],
  completions: ['a', 'b'],
  completionTokens: [1, 1],
  truncated: [false, false],
  answers: [undefined, undefined],
  rows: [],
  step: 1,
}
const call = (functions: RewardFunc[], weights: number[] = [], signal = new AbortController().signal) =>
  callRewards(functions, weights, batch, { timeoutMs: 100, signal })

describe('callRewards', () => {
  it('sums the rewards of several functions by their weights', async () => {
    const scores = await call([() => [1, 0], async () => [0.5, 2]], [2, 10])
    expect(scores.total).toEqual([7, 20])
  })

  it('leaves a null of one function out of the sum and gives null only where all said null', async () => {
    const scores = await call([() => [null, null], () => [3, null]])
    expect(scores.total).toEqual([3, null])
  })

  it('counts an exception as no reward for every completion and goes on', async () => {
    const broken: RewardFunc = () => {
      throw new Error('no network')
    }
    const scores = await call([broken])
    expect(scores).toMatchObject({ total: [null, null], errors: 2, timeouts: 0 })
    expect(scores.messages).toEqual(['broken: no network'])
  })

  it('gives no reward at all where a function that counts failed, whatever the others say', async () => {
    const broken: RewardFunc = () => {
      throw new Error('no network')
    }
    expect((await call([broken, () => [1, 2]])).total).toEqual([null, null])
    expect((await call([() => [Number.NaN, 3], () => [1, 2]])).total).toEqual([null, 5])
    expect((await call([broken, () => [1, 2]], [0, 1])).total).toEqual([1, 2])
  })

  it('keeps functions of one name apart in the metrics', async () => {
    const same = () => Object.defineProperty(() => [1, 1], 'name', { value: 'same' })
    const { byFunction } = await call([same(), same(), same(), () => [0, 0]])
    expect(byFunction.map(({ name }) => name)).toEqual(['same', 'same_2', 'same_3', 'reward_3'])
  })

  it('survives values and errors that defend themselves', async () => {
    const hostile = {
      toString() {
        throw new Error('no')
      },
    }
    const values: RewardFunc = () => [hostile as never, 1]
    const thrown: RewardFunc = () => {
      throw hostile
    }
    expect(await call([values])).toMatchObject({ total: [null, 1], errors: 1 })
    expect(await call([thrown])).toMatchObject({ total: [null, null], errors: 2 })
  })

  it('takes what a function hands in at its deadline, and still counts it as late', async () => {
    const partial: RewardFunc = ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve([1, null]), { once: true }))
    expect(await call([partial])).toMatchObject({ total: [1, null], timeouts: 1, errors: 0 })
  })

  it('turns a number that is not finite into null and names it', async () => {
    const scores = await call([() => [Number.NaN, 1]])
    expect(scores).toMatchObject({ total: [null, 1], errors: 1 })
    expect(scores.messages[0]).toContain('NaN')
  })

  it('refuses an answer of the wrong length', async () => {
    const scores = await call([() => [1]])
    expect(scores.total).toEqual([null, null])
    expect(scores.messages[0]).toContain('expected an array of 2 rewards, got an array of 1')
  })

  it('gives up at the deadline and tells the function through its signal', async () => {
    let told = false
    const slow: RewardFunc = ({ signal }) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          told = true
        })
      })
    const scores = await call([slow])
    expect(scores).toMatchObject({ total: [null, null], timeouts: 1, errors: 0 })
    expect(told).toBe(true)
  })

  it('rejects with the reason of an aborted run', async () => {
    const controller = new AbortController()
    const reason = new Error('stop')
    setTimeout(() => controller.abort(reason), 10)
    await expect(call([() => new Promise(() => undefined)], [], controller.signal)).rejects.toBe(reason)
  })

  it('asks nobody once the run was aborted', async () => {
    let isAsked = false
    const reward: RewardFunc = () => {
      isAsked = true
      return new Promise(() => undefined)
    }
    const reason = new Error('stop')
    await expect(call([reward], [], AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(isAsked).toBe(false)
  })

  it('tells a function that the run was aborted, with the reason', async () => {
    const controller = new AbortController()
    const reasons: unknown[] = []
    const reward: RewardFunc = ({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason))
      controller.abort('stop')
      return [1, 1]
    }
    await expect(call([reward], [], controller.signal)).rejects.toBe('stop')
    expect(reasons).toEqual(['stop'])
  })

  it.each<[string, RewardFunc]>([
    ['answered', () => [1, 2]],
    ['threw', () => Promise.reject(new Error('no'))],
    ['came late', () => new Promise(() => undefined)],
  ])('keeps nothing of a batch on the signal of the run, when a function %s', async (_, reward) => {
    const { signal } = new AbortController()
    await call([reward], [], signal)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('lets the batch go when the call is over, also where a function leaves a listener on its signal', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const run = new AbortController()
    const careless: RewardFunc = ({ signal, completions }) => {
      signal.addEventListener('abort', () => completions.length)
      return [1, 1]
    }
    const ask = async (): Promise<WeakRef<object>> => {
      const rows: never[] = []
      await callRewards([careless, () => [0, 0]], [], { ...batch, rows }, { timeoutMs: 1e6, signal: run.signal })
      return new WeakRef(rows)
    }
    const rows = await ask()
    for (let round = 0; round < 20 && rows.deref() !== undefined; round++) {
      await setImmediate()
      collect()
    }
    expect(rows.deref()).toBeUndefined()
    expect(run.signal.aborted).toBe(false)
  })
})
