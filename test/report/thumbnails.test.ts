import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { thumbnailsOf } from '../../src/report/thumbnails.js'

const picture = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toBuffer()
const image = (bytes: Uint8Array) => ({ source: 'rows.jsonl:1', read: async () => bytes })
const bytesOf = (uri = '') => Buffer.from(uri.replace('data:image/webp;base64,', ''), 'base64')

describe('thumbnailsOf', () => {
  it('shrinks to 320 pixels on the longest side and enlarges nothing', async () => {
    const images = await Promise.all([picture(640, 100), picture(10, 1280), picture(20, 30)])
    const { uris } = await thumbnailsOf(images.map(image), 1e6)
    const sizes = await Promise.all([...uris.values()].map((uri) => sharp(bytesOf(uri)).metadata()))
    expect(sizes.map(({ width, height }) => [width, height])).toEqual([
      [320, 50],
      [3, 320],
      [20, 30],
    ])
  })

  it('lays what is transparent on white', async () => {
    const { uris } = await thumbnailsOf([image(await picture(8, 8, 4))], 1e6)
    const { data } = await sharp(bytesOf(uris.get(0)))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255])
  })

  it('ends before the room is used up, and says where', async () => {
    const images = Array.from({ length: 20 }, async () => image(await picture(300, 300)))
    const list = await Promise.all(images)
    const one = (await thumbnailsOf(list.slice(0, 1), 1e6)).uris.get(0)?.length ?? 0
    const { uris, end } = await thumbnailsOf(list, 7 * one + 1)
    expect([uris.size, end]).toEqual([7, 7])
    expect((await thumbnailsOf(list, 20 * one)).end).toBe(20)
  })

  it('counts what cannot be read and passes over rows without images', async () => {
    const unreadable = { source: 'rows.jsonl:2', read: () => Promise.reject(new Error('gone')) }
    const { uris, end, failed } = await thumbnailsOf(
      [undefined, unreadable, image(Buffer.from('GIF89a')), image(await picture(4, 4))],
      1e6,
    )
    expect({ shown: [...uris.keys()], end, failed }).toEqual({ shown: [3], end: 4, failed: 2 })
  })
})
