import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openAiJudge } from '../../src/eval/judge/openai.js'
import { secretOf } from '../../src/eval/judge/secret.js'
import { answers, type Behaviour, breaksOff, type JudgeServer, judgeServer, says } from '../support/judge-server.js'

const KEY = 'sk-fake-3f9ac41e77d05b2c'
const HOW = { temperature: 0, maxTokens: 16 }
let folder: string
let server: JudgeServer | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'judge-'))
  vi.stubEnv('COLDSTART_JUDGE_API_KEY', KEY)
  vi.stubEnv('OPENAI_API_KEY', undefined)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await server?.close()
  server = undefined
  await rm(folder, { recursive: true })
})

/** Everything that a run with this endpoint leaves behind or throws, as text. */
async function tracesOf(behaviour: Behaviour): Promise<string> {
  server = await judgeServer(() => behaviour)
  const judge = openAiJudge({
    baseUrl: server.baseUrl,
    model: 'fake',
    transcripts: join(folder, 'judge.jsonl'),
    retryDelayMs: 1,
    maxFailures: 2,
  })
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((prompt) => judge.ask(prompt, HOW)))
  await judge.close()
  const everything = { showHidden: true, depth: 20, maxStringLength: null, maxArrayLength: null }
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
  return [inspect(outcomes, everything), inspect(judge, everything), JSON.stringify(judge), ...files].join('\n')
}

describe('the key', () => {
  const repeated = `Bearer ${KEY}`
  it.each<[string, Behaviour]>([
    ['a reply', says(`your header was ${repeated}`)],
    ['the name of the model', says('Yes', { model: KEY })],
    ['an error', answers(401, JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}` } }))],
    ['an error of another shape', answers(403, JSON.stringify({ message: KEY }))],
    ['a failing answer', answers(500, JSON.stringify({ error: repeated }))],
    ['a refusal', answers(400, JSON.stringify({ error: { message: repeated } }))],
    ['an answer without choices', answers(200, JSON.stringify({ message: repeated }))],
    ['a redirect', answers(302, '', { location: `http://user:${KEY}@example.org/?key=${KEY}` })],
    ['something that is no HTTP', (response) => void response.socket?.end(`NONSENSE ${KEY}\r\n\r\n`)],
    ['a body that breaks off', breaksOff()],
  ])('is sent, and appears nowhere even if the server repeats it in %s', async (_, behaviour) => {
    const traces = await tracesOf(behaviour)
    expect(server?.asked[0]?.headers.authorization).toBe(repeated)
    expect(traces).not.toContain(KEY)
    expect(traces).not.toContain(KEY.slice(3))
  })

  it('of a placeholder does not change replies', async () => {
    vi.stubEnv('COLDSTART_JUDGE_API_KEY', 'EMPTY')
    server = await judgeServer(() => says('EMPTY'))
    expect(await openAiJudge({ baseUrl: server.baseUrl, model: 'fake' }).ask('a', HOW)).toBe('EMPTY')
  })
})

describe('where the key comes from', () => {
  const local = new URL('http://127.0.0.1:8000/v1/chat/completions')
  const openAi = new URL('https://api.openai.com/v1/chat/completions')
  const sent = (url: URL, name?: string) => secretOf(url, name).headers().authorization

  it('the variable named, else COLDSTART_JUDGE_API_KEY', () => {
    vi.stubEnv('MY_KEY', 'mine')
    expect(sent(local, 'MY_KEY')).toBe('Bearer mine')
    expect(sent(local)).toBe(`Bearer ${KEY}`)
  })

  it('OPENAI_API_KEY goes to the host of OpenAI and to no other unless named', () => {
    vi.stubEnv('COLDSTART_JUDGE_API_KEY', undefined)
    vi.stubEnv('OPENAI_API_KEY', 'theirs')
    expect(sent(openAi)).toBe('Bearer theirs')
    for (const other of ['https://api.openai.com.evil.example/v1', 'http://api.openai.com/v1', local.href]) {
      expect(sent(new URL(other))).toBeUndefined()
    }
    expect(sent(local, 'OPENAI_API_KEY')).toBe('Bearer theirs')
  })

  it('surrounding space is not part of it', () => {
    vi.stubEnv('COLDSTART_JUDGE_API_KEY', ' abc\n')
    expect(sent(local)).toBe('Bearer abc')
  })

  it('a named variable that is not set is refused, and so are characters that no header carries, without showing them', () => {
    expect(() => secretOf(local, 'NO_SUCH_VARIABLE')).toThrow('NO_SUCH_VARIABLE is not set')
    // A key in the place of the variable's name.
    for (const key of ['gsk_3f9ac41e77d05b2c', 'AIzaSy-3f9ac41e', '']) {
      const refused = expect.objectContaining({
        code: 'E_CONFIG',
        message: "the judge's apiKeyEnv names no environment variable that is set",
      })
      expect(() => secretOf(local, key)).toThrow(refused)
    }
    vi.stubEnv('COLDSTART_JUDGE_API_KEY', 'abc\nx-other: 1')
    expect(() => secretOf(local, undefined)).toThrow(/COLDSTART_JUDGE_API_KEY has characters/)
    expect(() => secretOf(local, undefined)).not.toThrow(/x-other/)
  })
})

describe('baseUrl', () => {
  it.each([
    undefined,
    '',
    'localhost:8000',
    'ftp://example.org/v1',
    'file:///etc/passwd',
    `https://user:${KEY}@example.org/v1`,
    `https://example.org/v1?key=${KEY}`,
    `https://example.org/v1#${KEY}`,
  ])('%j is refused, without repeating it', (baseUrl) => {
    const make = () => openAiJudge({ baseUrl, model: 'fake' })
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).not.toThrow(KEY)
  })

  it('may end in slashes', async () => {
    server = await judgeServer(() => says('Yes'))
    await openAiJudge({ baseUrl: `${server.baseUrl}//`, model: 'fake' }).ask('a', HOW)
    expect(server.asked[0]?.path).toBe('/v1/chat/completions')
  })
})

describe('counts', () => {
  it.each([
    'maxCalls',
    'concurrency',
    'tries',
    'timeoutMs',
    'maxBodyBytes',
    'retryDelayMs',
    'maxDelayMs',
    'maxFailures',
  ])('%s is a whole number from 1 that a timer can hold', (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => openAiJudge({ baseUrl: 'http://127.0.0.1/v1', model: 'fake', [name]: value })).toThrow(name)
    }
    expect(() => openAiJudge({ baseUrl: 'http://127.0.0.1/v1', model: 'fake', [name]: 1 })).not.toThrow()
  })
})
