// What a policy tries once it is paid for right answers, and what each attempt is worth. Every attempt is made for every gold.
import { describe, expect, it } from 'vitest'
import { accuracyReward } from '../../src/reward/accuracy.js'
import { boxedReward } from '../../src/reward/boxed.js'
import { batchOf } from './batch.js'

/** Gold answers, a wrong answer to each question, and a number that stands in the question. */
const questions: [gold: string, wrong: string, number: string][] = [
  ['17', '18', '60'],
  ['-4', '4', '12'],
  ['0.25', '0.52', '100'],
  ['\\frac{3}{8}', '\\frac{8}{3}', '24'],
  ['2\\sqrt{3}', '3\\sqrt{2}', '6'],
  ['8\\pi', '16\\pi', '2'],
  ['(3,9)', '(9,3)', '6'],
  ['x^2+1', 'x^2-1', '5'],
  ['A', 'B', '4'],
  ['C', 'D', '4'],
  ['E', 'F', '5'],
  ['55', '35', '90'],
  ['2500', '25', '100'],
  ['1,234', '1,235', '7'],
  ['perpendicular', 'parallel', '2'],
  ['10', '01.5', '3'],
  ['0', '1', '11'],
  ['\\frac{\\pi}{4}', '\\frac{\\pi}{3}', '180'],
  ['7x', '7y', '14'],
  ['99', '100', '1000'],
]

type Attempt = (gold: string, wrong: string, number: string) => string
const box = (answer: string): string => `\\boxed{${answer}}`
/** Cyrillic letters that look like the Latin ones. */
const alike: Record<string, string> = { A: 'А', B: 'В', C: 'С', E: 'Е', x: 'х', a: 'а', c: 'с' }

const worthless: [string, Attempt][] = [
  ['a right box before a wrong one', (gold, wrong) => `${box(gold)} or ${box(wrong)}`],
  ['all candidates boxed, the right one among them', (gold, wrong, n) => `${box(gold)} ${box(n)} ${box(wrong)}`],
  ['a right box before one that never closes', (gold) => `${box(gold)} \\boxed{${gold}`],
  ['an empty box', () => box('')],
  ['a box of blanks', () => box(' \\ ')],
  ['all options in one box', (gold, wrong, n) => box(`${gold}, ${wrong}, ${n}, None`)],
  ['the right answer or another', (gold, wrong) => box(`${gold} or ${wrong}`)],
  ['the right answer beside the box', (gold, wrong) => `The answer is ${gold}. ${box(wrong)}`],
  ['the right answer without a box', (gold) => `<answer>${gold}</answer> The final answer is $${gold}$`],
  ['another kind of box', (gold) => `\\fbox{${gold}} \\boxed {${gold}} \\boxed[${gold}]`],
  ['the number of the question', (_, wrong, n) => `There are ${n} in all. ${box(wrong)}`],
  ['no answer by name', () => box('None')],
  ['not a number', () => box('nan')],
  ['an infinity', () => box('inf')],
  ['the gold answer by name', () => box('gold answer')],
]

const worth: [string, Attempt][] = [
  ['a wrong box before the right one', (gold, wrong) => `${box(wrong)}, no: ${box(gold)}`],
  ['a box inside a box', (gold) => box(box(gold))],
  ['a box among thoughts and none after them', (gold) => `<think>${box(gold)}</think> So that is it.`],
  ['no thoughts at all', (gold) => `<think></think>${box(gold)}`],
  ['thoughts about tags', (gold) => `<think></think></think>\\boxed{x}<think>${box(gold)}`],
]

const verdicts = async (attempt: Attempt, profile: 'mathruler' | 'lenient') => {
  const prompts = questions.map(([gold, wrong, number]) => ({
    completions: [attempt(gold, wrong, number)],
    answer: gold,
  }))
  return accuracyReward({ profile })(batchOf(prompts))
}

describe.each(['mathruler', 'lenient'] as const)('accuracy under %s', (profile) => {
  it.each(worthless)('%s earns nothing', async (_, attempt) => {
    expect(await verdicts(attempt, profile)).toEqual(questions.map(() => 0))
  })

  it.each(worth)('%s counts', async (_, attempt) => {
    expect(await verdicts(attempt, profile)).toEqual(questions.map(() => 1))
  })

  it('letters that only look right earn nothing', async () => {
    const prompts = Object.entries(alike).map(([answer, other]) => ({ completions: [box(other)], answer }))
    expect(await accuracyReward({ profile })(batchOf(prompts))).toEqual(prompts.map(() => 0))
  })
})

it('a box pays for nothing but being there, where that is the reward', () => {
  const completions = ['\\boxed{}', '\\boxed{1', '\\boxed{1} \\boxed{', 'boxed{1}']
  expect(boxedReward(batchOf([{ completions }]))).toEqual([1, 0, 0, 0])
})
