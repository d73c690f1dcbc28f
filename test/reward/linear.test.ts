// The texts that a collapsing policy emits, for every built-in reward. A backtracking pattern needs 14 s for the first of them at
// 24,000 characters and four times as long for twice as many; the bound here is loose because it is there to catch that alone.
import { expect, it } from 'vitest'
import { rewardByName } from '../../src/reward/by-name.js'
import { batchOf } from './batch.js'

const fill = (start: string, unit: string, length: number): string =>
  (start + unit.repeat(Math.ceil(length / unit.length))).slice(0, length)

const hostile: [string, string][] = [
  ['<think>', '</think>\\boxed{'],
  ['<think>', '</think> <answer>'],
  ['<think>', '</think>\n'],
  ['', '<answer>'],
  ['', '\\boxed{'],
  ['\\boxed{', '{}'],
  ['\\boxed{', '}{'],
  ['', ' < > / '],
  ['<think></think>\\boxed{', ' '],
  ['', 'word '],
  ['', '<'],
  ['\\boxed{', '\\frac'],
]

const rewards = [
  ...['accuracy', 'format', 'boxed', 'exactBoxed', 'math', 'r1v', 'length', 'repetition'],
  { name: 'accuracy', profile: 'lenient' } as const,
  { name: 'format', style: 'answer' } as const,
]

it.each(rewards)('%j scores 200 texts of 32,000 characters in little time', async (entry) => {
  const completions = hostile.map(([start, unit]) => fill(start, unit, 32_000))
  const batch = batchOf(Array.from({ length: 17 }, () => ({ completions, answer: '7' })))
  const reward = await rewardByName(entry)
  const values = await reward(batch)
  expect(values).toHaveLength(17 * hostile.length)
  expect(values.every(Number.isFinite)).toBe(true)
})
