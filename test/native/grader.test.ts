import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { call, native, unwrap } from '../../src/native/index.js'

const odd: unknown[] = [
  undefined,
  null,
  -1,
  Number.NaN,
  2n,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  ['a', 1],
  () => 0,
  Symbol('s'),
]

it('the grader answers every kind of wrong argument with an error', async () => {
  const { gradeAnswer, gradeAnswers, extractBoxed, answerTag, formatThink, formatAnswer } = native()
  const { easyr1Squeeze, mathvisionStringForm, constantValue, isValue } = native()
  const texts = [
    extractBoxed,
    answerTag,
    formatThink,
    formatAnswer,
    easyr1Squeeze,
    mathvisionStringForm,
    constantValue,
    isValue,
  ]
  for (const value of odd.filter((value) => typeof value !== 'string')) {
    for (const one of texts) expect(() => one(value as string)).toThrow()
  }
  for (const a of odd) {
    for (const b of odd) {
      const sync = () => unwrap((gradeAnswer as (...args: unknown[]) => unknown)(a, b, b))
      expect(sync).toThrow()
      const batch = async () => call((gradeAnswers as (...args: unknown[]) => Promise<unknown>)(a, b, a))
      await expect(batch()).rejects.toThrow()
    }
  }
})

it('lists of different lengths are refused with both', async () => {
  await expect(call(native().gradeAnswers(['1', '2'], ['1'], 'mathruler'))).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringMatching(/expected 2.*got 1/),
  })
})

it('many batches at once all get their own verdicts', async () => {
  const batches = Array.from({ length: 64 }, (_, i) => call(native().gradeAnswers([`${i}`], ['7'], 'mathruler')))
  const correct = (await Promise.all(batches)).map(([verdict]) => (verdict as { correct: boolean }).correct)
  expect(correct).toEqual(batches.map((_, i) => i === 7))
})

it.each(['process.exit(3)', 'throw new Error("on purpose")', 'Promise.reject(new Error("on purpose"))'])(
  'a process may end by %s while a batch is being graded',
  (ending) => {
    const code = `
      import { gradeBatch } from ${JSON.stringify(new URL('../../dist/reward/index.js', import.meta.url).href)}
      const items = Array.from({ length: 50000 }, (_, i) => ({ given: '(a+' + i + ')^2', gold: 'a^2+' + i }))
      void gradeBatch(items)
      setTimeout(() => { ${ending} }, 5)`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    expect(child.signal).toBeNull()
    expect(child.status).toBe(ending.includes('exit') ? 3 : 1)
  },
)
