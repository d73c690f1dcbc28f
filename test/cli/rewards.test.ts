import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveReward } from '../../src/cli/rewards.js'
import { exactBoxed } from '../../src/reward/boxed.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-rewards-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function module(name: string, code: string): string {
  const path = join(folder, name)
  writeFileSync(path, code)
  return path
}

describe('resolveReward', () => {
  it('knows built-in rewards by name', async () => {
    expect(await resolveReward('exactBoxed')).toBe(exactBoxed)
    await expect(resolveReward('exactBox')).rejects.toMatchObject({
      code: 'E_CONFIG',
      hint: 'did you mean exactBoxed?',
    })
  })

  it('takes the default export, the only function, or the named one', async () => {
    const both = module('both.mjs', 'export default () => [1]\nexport const other = () => [2]')
    const single = module('single.mjs', 'export const other = () => [3]\nexport const limit = 4')
    const call = async (text: string): Promise<unknown> => (await resolveReward(text))({} as never)
    expect(await call(both)).toEqual([1])
    expect(await call(`${both}#other`)).toEqual([2])
    expect(await call(single)).toEqual([3])
  })

  it('an export that is missing or no function is named, with those that exist', async () => {
    const several = module('several.mjs', 'export const a = () => [1]\nexport const b = () => [2]\nexport const c = 3')
    await expect(resolveReward(several)).rejects.toThrow(/no function as its default export \(functions: a, b\)/)
    await expect(resolveReward(`${several}#c`)).rejects.toMatchObject({ code: 'E_CONFIG' })
  })

  it('a module that does not load is E_REWARD with the reason', async () => {
    await expect(resolveReward(join(folder, 'none.mjs'))).rejects.toMatchObject({ code: 'E_REWARD' })
    await expect(resolveReward(module('throws.mjs', 'throw new Error("at import")'))).rejects.toThrow(/at import/)
  })
})
