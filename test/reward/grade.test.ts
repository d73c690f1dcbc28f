import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractAnswer, extractBoxed } from '../../src/reward/boxed.js'
import { type GradeItem, grade, gradeBatch } from '../../src/reward/grade.js'
import { lintGolds } from '../../src/reward/lint.js'

const profile = fc.constantFrom('mathruler' as const, 'lenient' as const)
/** Texts with the marks that answers are made of, and some with anything. */
const answer = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abx+-*/^(){}[],.% \\$', '\\frac', '\\sqrt', '\\pi'), maxLength: 24 }),
  fc.string({ unit: 'binary', maxLength: 24 }),
)

describe('grade', () => {
  it('every answer with a visible character equals itself', () => {
    fc.assert(
      fc.property(answer, profile, (text, profile) => {
        fc.pre(/[!-~]/.test(text))
        expect(grade(text, text, { profile }).correct).toBe(true)
      }),
    )
  })

  it('gives the same verdict twice, and under mathruler for both orders', () => {
    fc.assert(
      fc.property(answer, answer, (a, b) => {
        expect(grade(a, b)).toEqual(grade(a, b))
        fc.pre(a.trim() !== '' && b.trim() !== '')
        expect(grade(a, b).correct).toBe(grade(b, a).correct)
      }),
    )
  })

  it('no answer is never right, not even for a gold answer that says so', () => {
    for (const gold of ['None', '', 'null']) {
      expect(grade(null, gold)).toEqual({ correct: false, path: 'none', steps: 0 })
    }
  })

  it('takes the profile it is told, and refuses one that does not exist', () => {
    expect(grade('6/16', '\\frac{3}{8}').correct).toBe(false)
    expect(grade('6/16', '\\frac{3}{8}', { profile: 'lenient' }).correct).toBe(true)
    expect(() => grade('1', '1', { profile: 'strict' as never })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining('mathruler or lenient') }),
    )
  })

  it('says which limit a refusal is about', () => {
    expect(grade('1+'.repeat(5000), '7')).toMatchObject({ correct: false, path: 'refused', reason: 'size' })
  })

  it('takes any text: lone surrogates, NUL, a megabyte', () => {
    for (const text of ['\ud800', '\udfff\ud800x', 'a\0b', '{'.repeat(1e6), '!'.repeat(1e6)]) {
      expect(grade(text, '7').correct).toBe(false)
      expect(grade('7', text).correct).toBe(false)
    }
  })
})

describe('what is no text', () => {
  const usage = (message: string) => expect.objectContaining({ code: 'E_USAGE', message })

  it('is refused by its name', () => {
    expect(() => grade(7 as never, '7')).toThrow(usage('given: expected a string or null, got 7'))
    expect(() => grade('7', undefined as never)).toThrow(usage('gold: expected a string, got nothing'))
    expect(() => extractBoxed(null as never)).toThrow(usage('text: expected a string, got null'))
    expect(() => extractAnswer(['7'] as never)).toThrow(usage('response: expected a string, got an array'))
    expect(() => grade('7', '7', { profile: 3 as never })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
  })

  it('is refused by its name and row in a list', async () => {
    const right = { given: '7', gold: '7' }
    for (const [items, message] of [
      [[right, { given: {}, gold: '7' }], 'items[1].given: expected a string or null, got an object'],
      [[right, right, { given: '7', gold: 7 }], 'items[2].gold: expected a string, got 7'],
      [[null], 'items[0].gold: expected a string, got nothing'],
      ['7', 'items: expected an array, got "7"'],
    ] as const) {
      await expect(gradeBatch(items as never)).rejects.toEqual(usage(message))
    }
    await expect(lintGolds(['7', 7] as never)).rejects.toEqual(usage('golds[1]: expected a string or null, got 7'))
    await expect(lintGolds('7' as never)).rejects.toEqual(usage('golds: expected an array, got "7"'))
  })
})

describe('gradeBatch', () => {
  it('gives the verdicts of grade in the order of the pairs, however many there are', async () => {
    const item = fc.record({ given: fc.option(answer), gold: answer })
    const check = async (items: GradeItem[], profile: 'mathruler' | 'lenient') => {
      expect(await gradeBatch(items, { profile })).toEqual(
        items.map(({ given, gold }) => grade(given, gold, { profile })),
      )
    }
    await check([], 'mathruler')
    await fc.assert(fc.asyncProperty(fc.array(item, { maxLength: 8 }), profile, check), { numRuns: 50 })
    // Enough for several threads, with pairs that are alike next to pairs that are not.
    await check(
      Array.from({ length: 1500 }, (_, i) => ({ given: i % 7 === 0 ? null : `${i}`, gold: `${i - (i % 3)}` })),
      'mathruler',
    )
  })

  it('leaves JavaScript free to run meanwhile', async () => {
    const items = Array.from({ length: 20_000 }, (_, i) => ({ given: `(a+${i})^2`, gold: `a^2+${i}a+${i}` }))
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await gradeBatch(items)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
  })

  it('rejects an unknown profile', async () => {
    await expect(gradeBatch([], { profile: 'x' as never })).rejects.toMatchObject({ code: 'E_CONFIG' })
  })
})
