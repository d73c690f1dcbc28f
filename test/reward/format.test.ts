import { describe, expect, it } from 'vitest'
import { formatReward } from '../../src/reward/format.js'
import { texts } from './batch.js'

describe('formatReward', () => {
  it.each([
    ['<think>a</think>\\boxed{1}', 1],
    ['<think></think> so \\boxed{', 0],
    ['<think>a</think> 1', 0],
    ['<think>\\boxed{1}</think>', 0],
    [' <think>a</think>\\boxed{1}', 0],
    ['<think>a</think></think>\\boxed{1} and more', 1],
  ])('think: %j is worth %i', (text, value) => {
    expect(formatReward()(texts(text))).toEqual([value])
  })

  it.each([
    ['<think>a</think><answer>1</answer>', 1],
    ['<think>a</think>\n <answer>\n1\n</answer>', 1],
    ['<think>a</think> so <answer>1</answer>', 0],
    ['<think>a</think><answer>1</answer>.', 0],
    ['<answer>1</answer>', 0],
  ])('answer: %j is worth %i', (text, value) => {
    expect(formatReward({ style: 'answer' })(texts(text))).toEqual([value])
  })
})
