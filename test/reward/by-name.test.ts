import { describe, expect, it } from 'vitest'
import { exactBoxed } from '../../src/reward/boxed.js'
import { type RewardEntry, rewardByName, rewardSchema, scoreSchema } from '../../src/reward/by-name.js'
import { batchOf } from './batch.js'

const names = ['accuracy', 'format', 'boxed', 'exactBoxed', 'math', 'r1v', 'length', 'repetition']
const fault = (entry: unknown, schema = rewardSchema) => schema.safeParse(entry).error?.issues[0]?.message

describe('rewards by name', () => {
  it.each(names)('%s needs no options, and its object means the same', async (name) => {
    const batch = batchOf([{ completions: ['<think>a a a a</think>\\boxed{7}', '\\boxed{8}'], answer: '7' }])
    const [word, object] = [await rewardByName(name), await rewardByName({ name } as RewardEntry)]
    expect(await word(batch)).toEqual(await object(batch))
    expect(rewardSchema.parse(name)).toBe(name)
  })

  it('passes options on', async () => {
    const batch = batchOf([{ completions: ['\\boxed{0.4}'], answer: '40\\%' }])
    expect(await (await rewardByName({ name: 'accuracy', profile: 'lenient' }))(batch)).toEqual([1])
    const overlong = await rewardByName({ name: 'softOverlong', maxCompletionLength: 10, bufferLength: 4 })
    expect(await overlong({ ...batch, completionTokens: [8] })).toEqual([-0.5])
  })

  it('gives functions that are fixed as they are', async () => {
    expect(await rewardByName('exactBoxed')).toBe(exactBoxed)
  })

  it.each([
    ['exactBoxd', 'unknown reward "exactBoxd"; did you mean exactBoxed?'],
    ['zzz', /built in: accuracy, .*; or the path of a \.js module/],
    [{ name: 'acuracy' }, /did you mean accuracy\?/],
    [{ name: 'accuracy', profil: 'lenient' }, 'accuracy: unknown key profil; did you mean profile?'],
    [{ name: 'accuracy', profile: 'strict' }, /^accuracy\.profile: expected one of .*mathruler.*, got "strict"$/],
    [
      'softOverlong',
      /^softOverlong\.maxCompletionLength: expected number, got undefined; softOverlong\.bufferLength: /,
    ],
    [{ name: 'repetition', maxPenalty: 1 }, /^repetition\.maxPenalty: expected number to be <=0, got 1$/],
    [{ module: 'mine.py' }, 'module.module: expected the path of a .js file, or path#export, got "mine.py"'],
    [{ module: './mine.js', hardMS: 5 }, 'module: unknown key hardMS; did you mean hardMs?'],
    [7, /expected the name of a reward/],
    [null, /expected the name of a reward/],
    [{}, /unknown reward/],
  ])('%j is refused with a reason', async (entry, message) => {
    expect(fault(entry)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
    await expect(rewardByName(entry as RewardEntry)).rejects.toMatchObject({ code: 'E_CONFIG' })
  })

  it('paths of modules are left for later', () => {
    for (const entry of ['./mine.js', 'a/b.mjs#c', { module: 'x.cjs', hardMs: 9, env: ['KEY'] }]) {
      expect(rewardSchema.parse(entry)).toEqual(entry)
    }
  })

  it('a score is a reward from 0 to 1 that depends on the text alone', () => {
    for (const name of ['accuracy', 'format', 'boxed', 'exactBoxed', 'math', 'r1v', './mine.js']) {
      expect(fault(name, scoreSchema)).toBeUndefined()
    }
    for (const name of ['softOverlong', 'length', 'repetition']) {
      expect(fault(name, scoreSchema)).toMatch(/is no score/)
    }
  })
})
