import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeGreyPng } from '../../src/study/png.js'
import { start } from './run.js'

let server: ChildProcess
let address: string
const picture = encodeGreyPng(new Uint8Array(112 * 28).fill(200), 112, 28)
const ask = (body: Uint8Array, method = 'POST') =>
  fetch(`${address}/?question=how+many+squares+%3F`, {
    method,
    ...(method === 'POST' ? { body: Buffer.from(body) } : {}),
  })

beforeAll(async () => {
  server = start('server.mjs', ['', '0'])
  const [line] = (await once(server.stdout!, 'data')) as [Buffer]
  address = line.toString().trim()
})

afterAll(() => {
  server.kill('SIGKILL')
})

describe('server.mjs', () => {
  it('streams an answer to an uploaded image', async () => {
    const response = await ask(picture)
    expect(response.status).toBe(200)
    expect((await response.text()).endsWith('\n')).toBe(true)
  })

  it('gives the same question the same answer, also when many ask at once', async () => {
    const texts = await Promise.all(Array.from({ length: 6 }, async () => (await ask(picture)).text()))
    expect(new Set(texts).size).toBe(1)
  })

  it('says what is wrong with a body that is no image, and goes on', async () => {
    const response = await ask(Buffer.from('not an image'))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('PNG')
    expect((await ask(picture)).status).toBe(200)
  })

  it('refuses a body beyond its limit and a request without one', async () => {
    const large = await ask(new Uint8Array(9 * 1024 * 1024)).catch(() => undefined)
    // The refusal may arrive while the body is still being sent, which some clients report as a broken connection.
    if (large) expect(large.status).toBe(413)
    expect((await ask(picture, 'GET')).status).toBe(405)
  })

  it('ends cleanly on SIGTERM', async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})
