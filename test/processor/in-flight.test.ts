import { afterEach, expect, it, vi } from 'vitest'
import type { decodeImage } from '../../src/processor/decode.js'
import { picture, tinyModel } from '../support/tiny.js'

const decoding = vi.hoisted(() => ({ now: 0, most: 0, total: 0 }))

vi.mock('../../src/processor/decode.js', async (original) => {
  const actual = await original<typeof import('../../src/processor/decode.js')>()
  return {
    ...actual,
    decodeImage: async (...given: Parameters<typeof decodeImage>) => {
      decoding.total += 1
      decoding.now += 1
      decoding.most = Math.max(decoding.most, decoding.now)
      try {
        return await actual.decodeImage(...given)
      } finally {
        decoding.now -= 1
      }
    },
  }
})

afterEach(() => Object.assign(decoding, { now: 0, most: 0, total: 0 }))

const ask = (images: readonly Uint8Array[]) => [
  { role: 'user' as const, content: images.map((image) => ({ type: 'image' as const, image })) },
]

it('has few images in hand, however many conversations of however many images are encoded together', async () => {
  await using model = await tinyModel()
  const image = await picture('red')
  const encodings = Array.from({ length: 40 }, () => model.processor.encode(ask(Array(5).fill(image))))
  for (const { images } of await Promise.all(encodings)) expect(images).toHaveLength(5)
  expect(decoding.total).toBe(200)
  expect(decoding.most).toBeGreaterThan(1)
  expect(decoding.most).toBeLessThanOrEqual(8)
})

it('gives each conversation its own images in order, and each refusal its own name', async () => {
  await using model = await tinyModel()
  const small = await picture('red')
  const large = await picture('blue', 56, 28)
  const encodings = Array.from({ length: 300 }, (_, i) =>
    model.processor.encode(
      ask(i % 3 === 2 ? [small, Buffer.from('no image')] : i % 3 ? [large, small] : [small, large]),
      {
        name: `row ${i}`,
      },
    ),
  )
  const one = model.processor.gridOf(28, 28)
  const two = model.processor.gridOf(56, 28)
  for (const [i, result] of (await Promise.allSettled(encodings)).entries()) {
    if (result.status === 'rejected') {
      expect([i % 3, result.reason]).toEqual([
        2,
        expect.objectContaining({ code: 'E_IMAGE_FORMAT', message: expect.stringContaining(`row ${i}, image 2: `) }),
      ])
    } else expect(result.value.images.map(({ gridThw }) => gridThw)).toEqual(i % 3 ? [two, one] : [one, two])
  }
})

it('an abort refuses the images that are not begun, and no others', async () => {
  await using model = await tinyModel()
  const image = await picture('red')
  const controller = new AbortController()
  const reason = new Error('enough')
  const aborted = Array.from({ length: 50 }, () => model.processor.encode(ask([image]), { signal: controller.signal }))
  const other = model.processor.encode(ask([image]))
  controller.abort(reason)
  for (const result of await Promise.allSettled(aborted)) expect(result).toEqual({ status: 'rejected', reason })
  expect((await other).images).toHaveLength(1)
  expect(decoding.total).toBe(1)
})

it('closing refuses the images that have no place yet, without decoding them', async () => {
  const model = await tinyModel()
  const image = await picture('red')
  const encodings = Array.from({ length: 50 }, () => model.processor.encode(ask([image])))
  const results = Promise.allSettled(encodings)
  await model.close()
  expect((await results).at(-1)).toMatchObject({ reason: { code: 'E_CLOSED' } })
  expect(decoding.total).toBeLessThanOrEqual(8)
})
