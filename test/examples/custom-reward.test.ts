import { expect, it } from 'vitest'
import { run } from './run.js'

it('custom-reward.mjs raises the reward that a new model can earn, and weighs the two', async () => {
  const { code, lines } = await run('custom-reward.mjs')
  expect(code).toBe(0)
  const steps = lines.map((line) => (line.match(/\d+\.\d+/g) ?? []).map(Number))
  expect(steps).toHaveLength(20)
  for (const [judged = 0, brief = 0, together = 0] of steps) expect(together).toBeCloseTo(judged + 0.5 * brief, 1)
  const brief = (some: number[][]) => some.reduce((sum, step) => sum + (step[1] ?? 0), 0) / some.length
  expect(brief(steps.slice(-5))).toBeGreaterThan(brief(steps.slice(0, 5)))
})
