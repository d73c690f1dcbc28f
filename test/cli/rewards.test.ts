import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withRewards } from '../../src/cli/rewards.js'
import { exactBoxed } from '../../src/reward/boxed.js'
import type { RewardFunc } from '../../src/reward/types.js'
import { texts } from '../reward/batch.js'
import { isAlive } from '../support/processes.js'

let folder: string
let own: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-rewards-'))
  own = join(folder, 'own.mjs')
  writeFileSync(own, 'export const pid = ({ completions }) => completions.map(() => process.pid)')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('withRewards', () => {
  it('gives built-in rewards and those of modules in order, and a module runs in another process', async () => {
    const pid = await withRewards(['exactBoxed', own], async ([first, second]) => {
      expect(first).toBe(exactBoxed)
      const [pid] = (await (second as RewardFunc)(texts('a'))) as [number]
      expect(isAlive(pid)).toBe(true)
      return pid
    })
    expect(pid).not.toBe(process.pid)
    expect(isAlive(pid)).toBe(false)
  })

  it('ends the processes when the work fails, with the reason of the work', async () => {
    let pid = 0
    const failing = withRewards([own], async ([reward]) => {
      ;[pid] = (await (reward as RewardFunc)(texts('a'))) as [number]
      throw new Error('on purpose')
    })
    await expect(failing).rejects.toThrow('on purpose')
    expect(isAlive(pid)).toBe(false)
  })

  it('does no work when one of the rewards cannot be made', async () => {
    const work = () => Promise.reject(new Error('not reached'))
    await expect(withRewards([own, join(folder, 'none.mjs')], work)).rejects.toMatchObject({ code: 'E_PATH' })
    await expect(withRewards(['exactBox'], work)).rejects.toThrow('did you mean exactBoxed?')
  })
})
