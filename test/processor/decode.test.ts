import { mkdtemp, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../src/processor/decode.js'

const pixels = Buffer.from(Array.from({ length: 4 * 6 * 3 }, (_, i) => (i * 37) % 256))
const picture = () => sharp(pixels, { raw: { width: 6, height: 4, channels: 3 } })

describe('decodeImage', () => {
  it('gives the pixels of a PNG back, from bytes and from a file', async () => {
    const png = await picture().png().toBuffer()
    const file = join(await mkdtemp(join(tmpdir(), 'decode-')), 'a.png')
    await writeFile(file, png)
    for (const input of [png, file]) {
      const image = await decodeImage(input, 'a')
      expect(image).toMatchObject({ width: 6, height: 4, channels: 3 })
      expect(Buffer.from(image.data).equals(pixels)).toBe(true)
    }
  })

  it('honours the EXIF orientation unless told not to', async () => {
    const turned = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect(await decodeImage(turned, 'a')).toMatchObject({ width: 4, height: 6 })
    expect(await decodeImage(turned, 'a', { autoOrient: false })).toMatchObject({ width: 6, height: 4 })
  })

  it.each([
    ['a file that is not there', '/nowhere/a.png', 'E_PATH'],
    ['a folder', tmpdir(), 'E_PATH'],
    ['a device that never ends', '/dev/zero', 'E_PATH'],
    ['a text', Buffer.from('hello, I am no image'), 'E_IMAGE_FORMAT'],
    ['nothing', Buffer.alloc(0), 'E_IMAGE_FORMAT'],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'E_IMAGE_FORMAT'],
    ['an SVG that spells PNG', Buffer.from('<PNG:svg xmlns:PNG="http://www.w3.org/2000/svg"/>'), 'E_IMAGE_FORMAT'],
  ])('names %s with its code', async (_, input, code) => {
    await expect(decodeImage(input, 'row 3')).rejects.toMatchObject({ code, message: expect.stringContaining('row 3') })
  })

  it('says why a file cannot be read', async () => {
    await expect(decodeImage('/nowhere/a.png', 'row 3')).rejects.toMatchObject({ message: 'row 3: no such file' })
    await expect(decodeImage(tmpdir(), 'row 3')).rejects.toMatchObject({ message: 'row 3: expected a file' })
    const long = join(tmpdir(), 'a'.repeat(300))
    await expect(decodeImage(long, 'row 3')).rejects.toMatchObject({
      message: 'row 3: cannot be read (ENAMETOOLONG)',
      cause: expect.objectContaining({ code: 'ENAMETOOLONG' }),
    })
  })

  it('refuses a file of more bytes than the limit without reading it', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'decode-')), 'huge.png')
    await writeFile(file, '')
    // More than a buffer holds: reading it would be another error.
    await truncate(file, 2 ** 43)
    await expect(decodeImage(file, 'row 3')).rejects.toMatchObject({
      code: 'E_IMAGE_LIMIT',
      message: `row 3: ${2 ** 43} bytes; the most is 33554432`,
    })
  })

  it('refuses a truncated image instead of filling it with grey', async () => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251))
    for (const format of ['png', 'jpeg'] as const) {
      const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
        .toFormat(format)
        .toBuffer()
      await expect(decodeImage(whole.subarray(0, whole.length / 2), 'row 3')).rejects.toMatchObject({
        code: 'E_IMAGE_DECODE',
      })
    }
  })

  it('refuses 16-bit and CMYK pixels', async () => {
    const deep = await picture().toColourspace('rgb16').png().toBuffer()
    await expect(decodeImage(deep, 'a')).rejects.toMatchObject({ code: 'E_IMAGE_MODE' })
    const print = await picture().toColourspace('cmyk').jpeg().toBuffer()
    await expect(decodeImage(print, 'a')).rejects.toMatchObject({ code: 'E_IMAGE_MODE' })
  })

  it('refuses more pixels than the limit before decoding them', async () => {
    const wide = await sharp({ create: { width: 8100, height: 8000, channels: 3, background: 'white' } })
      .png()
      .toBuffer()
    await expect(decodeImage(wide, 'a')).rejects.toMatchObject({ code: 'E_IMAGE_LIMIT' })
  })
})
