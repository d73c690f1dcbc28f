import { describe, expect, it } from 'vitest'
import { mathReward, r1vReward } from '../../src/reward/easyr1.js'
import { batchOf } from './batch.js'

const of = (completion: string, answer?: string) => batchOf([{ completions: [completion], answer }])

describe('mathReward', () => {
  it.each([
    ['<think>a</think>\\boxed{7}', 1],
    ['\\boxed{7}', 0.9],
    ['<think>a</think>\\boxed{8}', 0.1],
    ['7', 0],
    ['< think > a < / think >\\boxed{7}', 1],
  ])('%j is worth %d', async (completion, value) => {
    expect(await mathReward(of(completion, '7'))).toEqual([expect.closeTo(value, 12)])
  })

  it('grades the text without white space around slashes', async () => {
    expect(await mathReward(of('\\boxed{3 / 8}', '3/8'))).toEqual([expect.closeTo(0.9, 12)])
  })
})

describe('r1vReward', () => {
  it.each([
    ['<think>a</think><answer>7</answer>', 1],
    ['<think>a</think><answer>8</answer>', 0.5],
    ['so <answer> 7 </answer>', 0.5],
    [' 7 ', 0.5],
    ['<answer>\n7</answer>', 0],
  ])('%j is worth %d', async (completion, value) => {
    expect(await r1vReward(of(completion, '7'))).toEqual([value])
  })
})

it('both are null without gold', async () => {
  expect([await mathReward(of('\\boxed{7}')), await r1vReward(of('7'))]).toEqual([[null], [null]])
})
