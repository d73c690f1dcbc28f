import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAiJudge } from '../../src/eval/judge/openai.js'
import type { OpenAiJudgeOptions } from '../../src/eval/judge/options.js'
import { keyOf, Transcripts } from '../../src/eval/judge/transcripts.js'
import { answers, type JudgeServer, judgeServer, says, saysAfter } from '../support/judge-server.js'

const HOW = { temperature: 0, maxTokens: 16 }
let folder: string
let file: string
let server: JudgeServer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'judge-'))
  file = join(folder, 'judge.jsonl')
  server = await judgeServer(({ prompt }) => says(`reply to ${prompt}`))
})

afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

const judgeAt = (baseUrl = server.baseUrl, options: Partial<OpenAiJudgeOptions> = {}) =>
  openAiJudge({ baseUrl, model: 'fake', transcripts: file, retryDelayMs: 1, ...options })

/** Asks each prompt with a judge of its own life, which ends when every call has: closing sooner would cancel what others still wait for. */
async function askAll(prompts: string[], options: Partial<OpenAiJudgeOptions> = {}) {
  const judge = judgeAt(server.baseUrl, options)
  const asked = prompts.map((prompt) => judge.ask(prompt, HOW))
  await Promise.allSettled(asked)
  await judge.close()
  return Promise.all(asked)
}

const lines = async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1)

describe('keyOf', () => {
  it('is the sha256 of canonical JSON: no spaces, keys in alphabetical order', () => {
    const request = { prompt: 'a "b"\n', model: 'm', temperature: 0.5, maxTokens: 8, attempt: 1 }
    const canonical = '{"attempt":1,"max_tokens":8,"model":"m","prompt":"a \\"b\\"\\n","temperature":0.5}'
    expect(keyOf(request)).toBe(createHash('sha256').update(canonical).digest('hex'))
  })
})

describe('stored replies', () => {
  it('are one line a reply, and answer the same questions later without a call', async () => {
    const first = await askAll(['a', 'b', 'c'])
    expect((await lines()).map((line) => JSON.parse(line).reply).sort()).toEqual([...first].sort())
    await server.close()
    expect(await askAll(['c', 'a', 'b'])).toEqual(['reply to c', 'reply to a', 'reply to b'])
    expect(await lines()).toHaveLength(3)
  })

  it('are in the file when ask resolves', async () => {
    const judge = judgeAt()
    for (const [done, prompt] of ['a', 'b'].entries()) {
      await judge.ask(prompt, HOW)
      expect(await lines()).toHaveLength(done + 1)
    }
    await judge.close()
  })

  it('name model, parameters and the model served, and hold no prompt', async () => {
    const endpoint = await judgeServer(() => says('Yes', { model: 'fake-2026' }))
    const judge = judgeAt(endpoint.baseUrl)
    await judge.ask('a long question', HOW)
    await judge.close()
    await endpoint.close()
    const [line] = await lines()
    expect(JSON.parse(line ?? '')).toEqual({
      key: keyOf({ model: 'fake', prompt: 'a long question', temperature: 0, maxTokens: 16, attempt: 0 }),
      model: 'fake',
      temperature: 0,
      max_tokens: 16,
      attempt: 0,
      reply: 'Yes',
      served: 'fake-2026',
    })
  })

  it('do not include failures: what had no answer is asked again', async () => {
    const failing = await judgeServer(() => answers(500, ''))
    const judge = judgeAt(failing.baseUrl)
    expect(await judge.ask('a', HOW)).toBeNull()
    await judge.close()
    await failing.close()
    expect(await askAll(['a'])).toEqual(['reply to a'])
  })

  it('are kept when the endpoint goes half way, and the next run asks only the rest', async () => {
    const prompts = Array.from({ length: 60 }, (_, i) => `question ${i}`)
    const dying = await judgeServer(({ prompt }, index) => (index < 25 ? says(`reply to ${prompt}`) : answers(500, '')))
    const judge = judgeAt(dying.baseUrl, { tries: 2 })
    const outcomes = await Promise.allSettled(prompts.map((prompt) => judge.ask(prompt, HOW)))
    await judge.close()
    await dying.close()
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'E_JUDGE' } })
    expect(await lines()).toHaveLength(25)
    expect(await askAll(prompts)).toEqual(prompts.map((prompt) => `reply to ${prompt}`))
    expect(server.asked).toHaveLength(35)
  })

  it('are kept when the cap on calls is reached, and a later run goes on', async () => {
    const prompts = Array.from({ length: 12 }, (_, i) => `question ${i}`)
    await expect(askAll(prompts, { maxCalls: 10 })).rejects.toMatchObject({ code: 'E_JUDGE' })
    expect(await askAll(prompts, { maxCalls: 10 })).toEqual(prompts.map((prompt) => `reply to ${prompt}`))
    expect(server.asked).toHaveLength(12)
  })

  it('come whole when many are written at once', async () => {
    const long = 'x'.repeat(200_000)
    const endpoint = await judgeServer(({ prompt }) => saysAfter(5, prompt + long))
    const judge = judgeAt(endpoint.baseUrl)
    await Promise.all(Array.from({ length: 16 }, (_, i) => judge.ask(`${i} `, HOW)))
    await judge.close()
    await endpoint.close()
    const replies = (await lines()).map((line) => JSON.parse(line).reply as string)
    expect(replies.map((reply) => reply.length - long.length).sort()).toEqual(
      Array.from({ length: 16 }, (_, i) => `${i} `.length).sort(),
    )
  })

  it('without a file last as long as the judge', async () => {
    const judge = judgeAt(server.baseUrl, { transcripts: undefined })
    await judge.ask('a', HOW)
    await judge.ask('a', HOW)
    expect(server.asked).toHaveLength(1)
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a file that', () => {
  it('ends in a part of a line loses that part and nothing else, wherever it was cut', async () => {
    await askAll(['a', 'b'])
    const whole = await readFile(file)
    const end = whole.lastIndexOf('\n', whole.length - 2) + 1
    const kept = JSON.parse(whole.subarray(0, end).toString()).reply.slice(-1) as string
    for (let cut = end + 1; cut < whole.length; cut += 13) {
      await writeFile(file, whole.subarray(0, cut))
      const before = server.asked.length
      await askAll(['a', 'b'])
      expect(server.asked.slice(before).map(({ prompt }) => prompt)).toEqual([kept === 'a' ? 'b' : 'a'])
      expect((await lines()).map((line) => JSON.parse(line).reply).sort()).toEqual(['reply to a', 'reply to b'])
    }
  })

  it.each(['not JSON', '{}', '[]', 'null', '{"key":"abc","reply":"Yes"}', ''])(
    'holds the line %j is refused, naming it',
    async (bad) => {
      await askAll(['a'])
      await writeFile(file, `${await readFile(file, 'utf8')}${bad}\n`)
      await expect(askAll(['a'])).rejects.toMatchObject({
        code: 'E_DATA_FORMAT',
        message: expect.stringContaining('judge.jsonl:2'),
      })
    },
  )

  it('cannot be written fails the question, not silently the run', async () => {
    const judge = judgeAt(server.baseUrl, { transcripts: join(folder, 'missing', 'judge.jsonl') })
    await expect(judge.ask('a', HOW)).rejects.toMatchObject({ code: 'E_PATH' })
    await expect(judge.ask('b', HOW)).rejects.toMatchObject({ code: 'E_PATH' })
    await judge.close()
  })

  it('is only read is not opened for writing', async () => {
    await askAll(['a'])
    await writeFile(file, `${await readFile(file, 'utf8')}{"torn`)
    await chmod(file, 0o444)
    expect(await askAll(['a'], { missing: 'error' })).toEqual(['reply to a'])
    expect(await readFile(file, 'utf8')).toMatch(/\{"torn$/)
  })
})

describe('without an endpoint', () => {
  it('stored replies are used and a missing one is unjudged', async () => {
    await askAll(['a'])
    const judge = openAiJudge({ model: 'fake', transcripts: file, missing: 'unjudged' })
    expect(await judge.ask('a', HOW)).toBe('reply to a')
    expect(await judge.ask('b', HOW)).toBeNull()
    expect(judge.stats).toMatchObject({ calls: 0, stored: 1, unjudged: 1 })
    await judge.close()
  })

  it('a missing reply is an error where none may be missing', async () => {
    const judge = openAiJudge({ model: 'fake', transcripts: file, missing: 'error' })
    await expect(judge.ask('b', HOW)).rejects.toMatchObject({ code: 'E_JUDGE' })
    await judge.close()
  })
})

describe('Transcripts', () => {
  it('closed and used again appends behind what it wrote', async () => {
    const request = { model: 'm', prompt: 'p', temperature: 0, maxTokens: undefined, attempt: 0 }
    const transcripts = new Transcripts(file)
    await transcripts.load()
    await transcripts.add(request, 'one', undefined)
    await transcripts.close()
    await transcripts.add({ ...request, attempt: 1 }, 'two', undefined)
    await transcripts.close()
    expect((await lines()).map((line) => JSON.parse(line).reply)).toEqual(['one', 'two'])
  })
})
