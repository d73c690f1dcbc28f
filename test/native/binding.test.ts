import { spawnSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { call, native } from '../../src/native/index.js'
import { config, tokenizer } from '../support/tiny.js'
import { training } from '../support/training-options.js'

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

describe('closing', () => {
  it('waits behind a full queue and answers every command before', async () => {
    const model = await loaded()
    let answered = 0
    const asked = Array.from({ length: 400 }, () =>
      model.keepReference().then((answer) => {
        answered += 1
        return answer
      }),
    )
    const [closed, again] = [model.close(), model.close()]
    const late = model.keepReference()
    expect(await closed).toBe(true)
    expect(answered).toBe(400)
    expect(await again).toBe(true)
    const refused = (await Promise.all(asked)).filter((answer) => answer !== true)
    expect(refused).toEqual(refused.map(() => expect.objectContaining({ failure: 'E_BUSY' })))
    expect(await late).toMatchObject({ failure: 'E_CLOSED' })
    expect(await model.close()).toBe(true)
  })
})

describe('commands of the engine', () => {
  it('are answered in order, and refused beyond the bound of the queue', async () => {
    const model = await loaded()
    let refused = 0
    // The engine empties the queue meanwhile: where this thread loses its core, it may keep up once.
    for (let round = 0; round < 50 && refused === 0; round += 1) {
      const answered: number[] = []
      const ask = async (_: unknown, i: number): Promise<void> => {
        const answer = await model.keepReference()
        if (answer === true) answered.push(i)
        else if (typeof answer === 'object' && answer.failure === 'E_BUSY') refused += 1
        else expect(answer).toBe(true)
      }
      const before = refused
      await Promise.all(Array.from({ length: 400 }, ask))
      expect(answered.length + refused - before).toBe(400)
      expect(answered).toEqual([...answered].sort((a, b) => a - b))
    }
    expect(refused).toBeGreaterThan(0)
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
    ['a seed below 0', { seed: -1 }, 'E_USAGE'],
    ['half a token', { maxNewTokens: 0.5 }, 'E_USAGE'],
    ['as many samples as would wrap around to 1', { numSamples: 2 ** 32 + 1 }, 'E_USAGE'],
    ['an id that is no number', { bannedIds: [0, Number.NaN] }, 'E_USAGE'],
  ])('refuse %s, naming the request', async (_, change, code) => {
    const model = await loaded()
    await expect(call(model.generateStart([request, { ...request, ...change }]))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^request 1: /),
    })
    expect(await model.generateStart([request, { ...request, ...change }])).toMatchObject({ request: 1 })
    expect(await model.generateStep(99, 0)).not.toHaveProperty('request')
    await model.close()
  })
})

it('takes no number for another one: every count that is not whole and in range is a failure', async () => {
  const model = await loaded()
  const processor = new (native().NativeProcessor)()
  const files = [Buffer.from(JSON.stringify(tokenizer)), '{}'] as const
  await call(processor.load(...files, { alpha: 'white' }))
  const image = { data: new Uint8Array(28 * 28 * 3), width: 28, height: 28, channels: 3 }
  const turns = [{ role: 'user', parts: [{ text: 'what' }] }]
  const settings = { addGenerationPrompt: true, noSystem: true }
  for (const odd of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64]) {
    const outcomes = [
      native().permutation(odd, 0, 3),
      native().permutation(0, odd, 3),
      native().permutation(0, 0, odd),
      native().learningRate('constant', 1, odd, 0, 0, 10),
      native().learningRate('constant', 1, 0, 0, odd, 10),
      native().learningRate('constant', 1, 0, 0, 0, odd),
      native().advantages(Float64Array.of(1, 2), odd, 'grpo', 1e-6),
      await model.create(JSON.stringify(config), odd, 'float32'),
      await model.generateStep(odd, 0),
      await model.generateStep(0, odd),
      await model.generateCancel(odd),
      await model.startTraining({ ...training, bannedIds: [0, odd] }),
      await model.startTraining({ ...training, maxSkips: odd }),
      await model.startTraining({ ...training, microBatchTokens: odd }),
      await model.startTraining({ ...training, sftGroup: odd }),
      await model.saveCheckpoint('/nowhere', odd, '{}', 2, []),
      await model.saveCheckpoint('/nowhere', 1, '{}', odd, []),
      processor.gridOf(odd, 28),
      processor.gridOf(28, odd),
      processor.encode(turns, [], { ...settings, maxLength: odd }),
      processor.encode([{ role: 'user', parts: [{}] }], [[1, odd, 2]], settings),
      await processor.prepareImages([{ ...image, width: odd }]),
      await processor.prepareImages([{ ...image, channels: odd }]),
      await new (native().NativeProcessor)().load(...files, { alpha: 'white', maxPixels: odd }),
    ]
    const message = expect.stringMatching(/: expected a whole number from 0 to \d+, got /)
    expect(outcomes).toEqual(outcomes.map(() => ({ failure: 'E_USAGE', message })))
  }
  // An engine that panicked would not answer any more.
  expect(await call(model.generateStart([request]))).toBe(0)
  expect(native().advantages(Float64Array.of(1), 0, 'grpo', 1e-6)).toMatchObject({ failure: 'E_USAGE' })
  await processor.close()
  await model.close()
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
