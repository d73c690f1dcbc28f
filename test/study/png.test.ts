import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { encodeGreyPng } from '../../src/study/png.js'

describe('encodeGreyPng', () => {
  it('writes files that a decoder reads back to the same pixels', async () => {
    const [width, height] = [37, 23]
    const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * 97) % 256)
    const { data, info } = await sharp(encodeGreyPng(pixels, width, height))
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([width, height, 1])
    expect(Buffer.compare(data, Buffer.from(pixels))).toBe(0)
  })

  it('refuses pixels that do not fill the image', () => {
    expect(() => encodeGreyPng(new Uint8Array(10), 3, 4)).toThrow('expected 3 x 4 = 12 pixels, got 10')
  })
})
