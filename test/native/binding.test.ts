import { spawnSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { call, native } from '../../src/native/index.js'
import { config } from '../support/tiny.js'

const loaded = async () => {
  const model = new (native().NativeModel)()
  await call(model.create(JSON.stringify(config), 0, 'float32'))
  return model
}
const request = {
  ids: Uint32Array.of(10),
  images: [],
  key: 0,
  seed: 0,
  numSamples: 1,
  maxNewTokens: 2,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  stopIds: [],
  bannedIds: [],
}

describe('a native panic', () => {
  it('rejects with its code, poisons that engine only, and the process lives on', async () => {
    const [broken, other] = [await loaded(), await loaded()]
    await expect(call(broken.__panic())).rejects.toMatchObject({
      code: 'E_NATIVE_PANIC',
      message: expect.stringContaining('asked to'),
    })
    await expect(call(broken.generateStart([request]))).rejects.toMatchObject({ code: 'E_NATIVE_PANIC' })
    expect(await call(other.generateStart([request]))).toBe(0)
    await broken.close()
    await other.close()
    await expect(call(broken.generateStart([request]))).rejects.toMatchObject({ code: 'E_CLOSED' })
  })
})

describe('commands of the engine', () => {
  it('are answered in order, and refused beyond the bound of the queue', async () => {
    const model = await loaded()
    const answers = await Promise.all(Array.from({ length: 400 }, () => model.keepReference()))
    const busy = answers.filter((answer) => typeof answer === 'object' && answer.failure === 'E_BUSY')
    expect(answers.filter((answer) => answer === true).length + busy.length).toBe(400)
    expect(busy.length).toBeGreaterThan(0)
    expect(await call(model.keepReference())).toBe(true)
    await model.close()
  })

  it('answer every kind of wrong argument with an error', async () => {
    const model = await loaded()
    const odd: unknown[] = [
      undefined,
      null,
      -1,
      Number.NaN,
      1e300,
      '',
      'x',
      [],
      {},
      [[]],
      [null],
      new Uint8Array(3),
      () => 0,
      Symbol('s'),
    ]
    const methods = [
      'load',
      'create',
      'save',
      'generateStart',
      'generateStep',
      'generateCancel',
      'startTraining',
      'sftStep',
      'sftLoss',
      'logProbs',
      'grpoUpdate',
      'loadCheckpoint',
    ] as const
    let refused = 0
    for (const name of methods) {
      for (const a of odd) {
        for (const b of odd) {
          const method = model[name] as (...args: unknown[]) => Promise<unknown>
          const answer = await Promise.resolve()
            .then(() => method.call(model, a, b, a, b, a))
            .catch((error: unknown) => ({ failure: String(error) }))
          if (typeof answer === 'object' && answer !== null && 'failure' in answer) refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(methods.length * odd.length * odd.length * 0.8)
    expect((await call(model.generateStart([request]))) >= 0).toBe(true)
    await model.close()
  })

  it.each([
    ['an id outside the vocabulary', { ids: Uint32Array.of(999) }, 'E_TOKEN_COUNT'],
    ['an empty prompt', { ids: new Uint32Array() }, 'E_TOKEN_COUNT'],
    ['an image token without an image', { ids: Uint32Array.of(5) }, 'E_TOKEN_COUNT'],
    ['more tokens than positions', { maxNewTokens: 100_000 }, 'E_TOO_LONG'],
    ['a negative temperature', { temperature: -1 }, 'E_USAGE'],
  ])('refuse %s, naming the request', async (_, change, code) => {
    const model = await loaded()
    await expect(call(model.generateStart([request, { ...request, ...change }]))).rejects.toMatchObject({
      code,
      message: expect.stringContaining('request 1'),
    })
    await model.close()
  })
})

it('is refused in a worker thread, by name', async () => {
  const code =
    "import('coldstart').then((c) => c.engineInfo()).catch((e) => require('node:worker_threads').parentPort.postMessage(e.code))"
  const source = code.replace('coldstart', new URL('../../dist/index.js', import.meta.url).href)
  const worker = new Worker(source, { eval: true })
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe('E_WORKER')
  await worker.terminate()
})

it('refuses to load with a forced kernel that this machine does not have, naming those it has', async () => {
  const code = `
    const { VisionLanguageModel } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
    const { config, tokenizer } = await import(${JSON.stringify(new URL('../support/tiny-model.mjs', import.meta.url).href)})
    await VisionLanguageModel.fromConfig(config, { tokenizer }).then((m) => m.close(), (e) => console.log(e.code, e.message))`
  const run = (kernel: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      env: { ...process.env, COLDSTART_KERNEL: kernel },
      encoding: 'utf8',
    })
  expect(run('portable').stdout).toBe('')
  expect(run('quantum').stdout).toMatch(/^E_CONFIG COLDSTART_KERNEL.*portable.*quantum/)
})
