import { describe, expect, it } from 'vitest'
import { grade } from '../../src/reward/grade.js'
import { lintGolds } from '../../src/reward/lint.js'

const lintOne = async (gold: string | undefined, profile?: 'lenient') => (await lintGolds([gold], { profile }))[0]

describe('lintGolds', () => {
  it.each([
    [undefined, 'missing', undefined],
    ['', 'empty', undefined],
    [' \n', 'empty', undefined],
    ['$', 'empty', undefined],
    ['None', 'none', undefined],
    ['\\boxed{7}', 'box', '7'],
    ['so \\boxed{55°}.', 'box', '55'],
    ['55°', 'degree', '55'],
    ['12.', 'period', '12'],
    ['C.', 'period', 'C'],
    ['9'.repeat(5000), 'size', undefined],
  ])('%j is at fault: %s', async (gold, fault, suggestion) => {
    const finding = await lintOne(gold)
    expect(finding).toMatchObject({ index: 0, gold: gold ?? null, fault })
    expect(finding?.suggestion).toBe(suggestion)
  })

  it.each(['7', '\\frac{1}{2}', '3.5', '1, 2, \\ldots', '...', '\\text{(A)}', '2\\sqrt{3}'])(
    '%j is not at fault',
    async (gold) => {
      expect(await lintOne(gold)).toBeUndefined()
    },
  )

  it.each(['3 \\mod 7', '\\int_0^1 x dx', '\\begin{vmatrix} 1 & 2 \\\\ 3 & 4 \\end{vmatrix}'])(
    '%j is nothing that lenient reads',
    async (gold) => {
      expect(await lintOne(gold, 'lenient')).toMatchObject({ gold, fault: 'unread' })
      expect(await lintOne(gold)).toBeUndefined()
    },
  )

  it.each(['7', 'perpendicular', '\\text{(A)}', 'x>3', '\\begin{cases} x=1 \\\\ y=2 \\end{cases}'])(
    '%j is a value to lenient',
    async (gold) => {
      expect(await lintOne(gold, 'lenient')).toBeUndefined()
    },
  )

  it('finds nothing wrong with what it suggests', async () => {
    for (const gold of ['\\boxed{\\boxed{7}}', '\\boxed{55°}.', '30°.']) {
      const suggestion = (await lintOne(gold))?.suggestion
      expect(suggestion).toBeDefined()
      expect(await lintOne(suggestion)).toBeUndefined()
    }
  })

  it('says about the degree sign what the grader does', async () => {
    expect(grade('55', '55°').correct).toBe(false)
    expect(await lintOne('55°', 'lenient')).toBeUndefined()
    expect(grade('55', '55°', { profile: 'lenient' }).correct).toBe(true)
  })

  it('keeps the order and the places of many', async () => {
    const golds = Array.from({ length: 1000 }, (_, i) => (i % 100 === 3 ? 'None' : String(i)))
    expect((await lintGolds(golds)).map(({ index }) => index)).toEqual(
      Array.from({ length: 10 }, (_, i) => 100 * i + 3),
    )
  })
})
