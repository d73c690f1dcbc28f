import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callRewards } from '../../../src/reward/call.js'
import {
  type ModuleReward,
  type ModuleRewardOptions,
  rewardFromModule,
} from '../../../src/reward/pool/module-reward.js'
import { isAlive } from '../../support/processes.js'
import { temporaryFolder } from '../../support/tiny.js'
import { batchOf, texts } from '../batch.js'

const hostile = fileURLToPath(new URL('./hostile.mjs', import.meta.url))
// Long enough for a good prompt on a busy machine.
const limits = { softMs: 300, hardMs: 5000, memoryMb: 32 }
const load = (name: string, options: ModuleRewardOptions = {}): Promise<ModuleReward> =>
  rewardFromModule(`${hostile}#${name}`, { ...limits, ...options })
const call = (reward: ModuleReward, batch: ReturnType<typeof batchOf>, timeoutMs = 60_000) =>
  callRewards([reward], [], batch, { timeoutMs, signal: batch.signal })

let folder: string
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => rmSync(folder, { recursive: true }))

function module(name: string, code: string): string {
  const path = join(folder, name)
  writeFileSync(path, code)
  return path
}

/** The process id that a reward has written, once it has. */
async function pidIn(file: string): Promise<number> {
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await sleep(20)
  return Number(readFileSync(file, 'utf8'))
}

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20)
}

describe('a reward that', () => {
  it.each([
    ['throws', 'on purpose', 'errors'],
    ['rejects', 'on purpose', 'errors'],
    ['hangs', 'no answer within 5000 ms', 'timeouts'],
    ['spins', 'no answer within 5000 ms', 'timeouts'],
    ['junk', '2 rewards are neither a finite number nor null, first NaN', 'errors'],
    ['wrongLength', 'expected an array of 2 rewards, got an array of 1', 'errors'],
    ['exits', 'its process ended (exit code 0)', 'errors'],
    ['dies', 'its process ended (SIGSEGV)', 'errors'],
    ['prints', 'printed more than 1048576 bytes', 'errors'],
    ['leaks', 'heap out of memory', 'errors'],
    ['buffers', 'more than 288 MiB of memory', 'errors'],
    ['forges', 'answered with', 'errors'],
  ] as const)(
    '%s costs the rewards of its prompt, is counted and named, and is called again',
    async (name, reason, kind) => {
      await using reward = await load(name, kind === 'timeouts' ? {} : { hardMs: 30_000 })
      const batch = batchOf([
        { completions: ['good', 'good'] },
        { completions: ['bad', 'good'] },
        { completions: ['good'] },
      ])
      const scores = await call(reward, batch)
      expect(scores.total).toEqual([1, 1, null, null, 1])
      expect(scores[kind]).toBe(kind === 'timeouts' ? 1 : 2)
      expect(scores.errors + scores.timeouts).toBe(scores[kind])
      expect(scores.messages[0]).toMatch(new RegExp(`^${name}: `))
      expect(scores.messages[0]).toContain(reason)
      expect((await call(reward, texts('good'))).total).toEqual([1])
    },
  )

  it('hangs on every prompt ends with the deadline of the step, not with that of each prompt', async () => {
    await using reward = await load('hangs', { hardMs: 60_000 })
    const prompts = Array.from({ length: 50 }, () => ({ completions: ['bad', 'bad'] }))
    const scores = await call(reward, batchOf(prompts), 500)
    expect(scores.total).toEqual(Array(100).fill(null))
    expect(scores).toMatchObject({ errors: 0, timeouts: 50 })
    expect((await call(reward, texts('good'))).total).toEqual([1])
  })

  it('prints without end does not fill this process', async () => {
    await using reward = await load('prints')
    const before = process.memoryUsage().rss
    await call(reward, texts('bad'))
    // It prints gigabytes until it is ended; the rest is what this process needs for itself.
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
  })

  it('heeds its signal can hand in what it has', async () => {
    await using reward = await load('polite', { hardMs: 30_000 })
    expect(await call(reward, texts('a', 'b'))).toMatchObject({ total: [1, null], errors: 0, timeouts: 0 })
  })
})

describe('the processes of a module', () => {
  it('answer in the order of the completions, whoever of them was asked', async () => {
    const path = module('length.mjs', 'export default ({ completions }) => completions.map((text) => text.length)')
    await using reward = await rewardFromModule(path, { processes: 3 })
    const prompts = Array.from({ length: 40 }, (_, i) => ({ completions: ['x'.repeat(i), 'x'.repeat(2 * i)] }))
    expect(await reward(batchOf(prompts))).toEqual(
      prompts.flatMap(({ completions }) => completions.map((t) => t.length)),
    )
  })

  it('stay for the next call, and end when the reward is closed', async () => {
    const reward = await load('pid', { processes: 1 })
    const [first] = (await reward(texts('a'))) as [number]
    expect(await reward(texts('a'))).toEqual([first])
    expect(first).not.toBe(process.pid)
    await reward.close()
    expect(isAlive(first)).toBe(false)
    expect(await call(reward, texts('a'))).toMatchObject({ total: [null], messages: ['pid: this reward was closed'] })
  })

  it('that end with a program keep it running until they are gone', async () => {
    const rewards = new URL('../../../dist/reward/index.js', import.meta.url).href
    const program = module(
      'closes.mjs',
      `import { rewardFromModule } from ${JSON.stringify(rewards)}
       const reward = await rewardFromModule(${JSON.stringify(`${hostile}#pid`)})
       await reward.close()
       console.log('closed')`,
    )
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const said = (await child.stdout.setEncoding('utf8').toArray()).join('')
    const code = child.exitCode ?? (await once(child, 'exit'))[0]
    expect({ code, said }).toEqual({ code: 0, said: 'closed\n' })
  })

  it('end at once when the run is aborted', async () => {
    await using reward = await load('spins', { hardMs: 600_000 })
    const file = join(folder, 'aborted.pid')
    const run = new AbortController()
    const call = reward(batchOf([{ completions: [`bad ${file}`] }], run.signal))
    const pid = await pidIn(file)
    run.abort()
    expect(await call).toEqual([null])
    await gone(pid)
  })

  it('take with them what they have started', async () => {
    await using reward = await load('grandchild')
    const file = join(folder, 'grandchild.pid')
    expect(await reward(texts(`bad ${file}`))).toEqual([null])
    await gone(await pidIn(file))
  })

  it.each([
    ['has nothing left to do', ''],
    ['exits', 'process.exit()'],
    ['is killed', 'process.kill(process.pid, "SIGKILL")'],
  ])('do not outlive a main process that %s, whether they idle or spin', async (_, ending) => {
    const [idle, spinning] = [join(folder, `idle-${ending.length}`), join(folder, `spinning-${ending.length}`)]
    // A value that keeps nothing running: the script ends by itself when it has nothing left to do.
    const spin = ending === '' ? '' : `void reward(batch(${JSON.stringify(`bad ${spinning}`)}))`
    const code = `
        import { existsSync, writeFileSync } from 'node:fs'
        import { rewardFromModule } from ${JSON.stringify(new URL('../../../dist/reward/index.js', import.meta.url).href)}
        const batch = (text) => ({ prompts: [[]], completions: [text], completionTokens: [1], truncated: [false],
          answers: [undefined], rows: [{}], signal: new AbortController().signal, step: 1 })
        const quiet = await rewardFromModule(${JSON.stringify(`${hostile}#pid`)})
        const reward = await rewardFromModule(${JSON.stringify(`${hostile}#spins`)}, { hardMs: 600000 })
        writeFileSync(${JSON.stringify(idle)}, String((await quiet(batch('a')))[0]))
        ${spin}
        ${spin && `while (!existsSync(${JSON.stringify(spinning)})) await new Promise((r) => setTimeout(r, 20))`}
        ${ending}`
    const main = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
    await new Promise((done) => main.once('close', done))
    await gone(await pidIn(idle))
    if (spin !== '') await gone(await pidIn(spinning))
  })

  it('see no secret of this one, but the variables that are named', async () => {
    process.env.HF_TOKEN = 'hf_secret'
    process.env.JUDGE_KEY = 'sk-secret'
    try {
      await using reward = await load('secrets', { env: ['JUDGE_KEY'] })
      expect(await reward(texts('HF_TOKEN', 'JUDGE_KEY', 'PATH'))).toEqual([0, 1, 1])
    } finally {
      delete process.env.HF_TOKEN
      delete process.env.JUDGE_KEY
    }
  })

  it('get rows with their images, up to a limit', async () => {
    await using reward = await load('images')
    const withImage = (bytes: number) => {
      const batch = texts('a')
      const image = { type: 'image' as const, image: new Uint8Array(bytes) }
      return { ...batch, rows: [{ ...batch.rows[0]!, messages: [{ role: 'user' as const, content: [image] }] }] }
    }
    expect(await reward(withImage(5000))).toEqual([5000])
    const scores = await call(reward, withImage(65 * 1024 * 1024))
    expect(scores).toMatchObject({
      total: [null],
      errors: 1,
      messages: [expect.stringMatching(/at most 67108864 are sent/)],
    })
    expect(await reward(withImage(5000))).toEqual([5000])
  })
})

describe('rewardFromModule', () => {
  const askedAt = async (path: string) => {
    await using reward = await rewardFromModule(path)
    return [reward.name, (await reward(texts('a')))[0]]
  }

  it('takes the default export, the only function, or the named one, and its name', async () => {
    const both = module('both.mjs', 'export default () => [1]\nexport const other = () => [2]')
    const single = module('single.mjs', 'export const lone = () => [3]\nexport const limit = 4')
    const renamed = module('renamed.mjs', 'function hidden() { return [6] }\nexport { hidden as shown }')
    const common = module('common.cjs', 'module.exports = function commonjs() { return [5] }')
    expect(await askedAt(both)).toEqual(['both', 1])
    expect(await askedAt(`${both}#other`)).toEqual(['other', 2])
    expect(await askedAt(`${renamed}#shown`)).toEqual(['shown', 6])
    expect(await askedAt(single)).toEqual(['lone', 3])
    expect(await askedAt(common)).toEqual(['commonjs', 5])
  })

  it('can use this package in the module', async () => {
    const index = new URL('../../../dist/reward/index.js', import.meta.url).href
    const code = `import { grade } from ${JSON.stringify(index)}
      export default ({ completions }) => completions.map((text) => Number(grade(text, '7').correct))`
    await using reward = await rewardFromModule(module('grading.mjs', code))
    expect(await reward(texts('7', '8'))).toEqual([1, 0])
  })

  it('names an export that is missing or no function, with those that exist', async () => {
    const several = module('several.mjs', 'export const a = () => [1]\nexport const b = () => [2]\nexport const c = 3')
    await expect(rewardFromModule(several)).rejects.toThrow(/no function as its default export \(functions: a, b\)/)
    await expect(rewardFromModule(`${several}#c`)).rejects.toMatchObject({
      code: 'E_CONFIG',
      hint: expect.stringContaining('#name'),
    })
  })

  it.each([
    ['throws.mjs', 'throw new Error("at import")', /at import/],
    ['syntax.mjs', 'export const = 3', /Unexpected token/],
    ['exits.mjs', 'process.exit(3)', /exit code 3/],
  ])('a module that does not load (%s) is E_REWARD with the reason', async (name, code, reason) => {
    await expect(rewardFromModule(module(name, code))).rejects.toMatchObject({
      code: 'E_REWARD',
      message: expect.stringMatching(reason),
    })
  })

  it('a module that does not exist is E_PATH', async () => {
    const none = pathToFileURL(join(folder, 'none.mjs'))
    await expect(rewardFromModule(fileURLToPath(none))).rejects.toMatchObject({ code: 'E_PATH' })
  })

  it.each(['softMs', 'hardMs', 'processes', 'memoryMb'])('refuses %s below 1', async (name) => {
    await expect(rewardFromModule(hostile, { [name]: 0 })).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: `${name}: expected at least 1, got 0`,
    })
  })
})
