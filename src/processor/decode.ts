// From an image file or its bytes to raw pixels, by sharp. Formats and limits are checked before any decoder runs.
import { readFile } from 'node:fs/promises'
import type { Sharp } from 'sharp'
import type { ImageInput } from '../data/types.js'
import { ColdstartError } from '../errors.js'

/** Largest encoded image, in bytes. */
const MAX_IMAGE_BYTES = 32 * 1024 * 1024
/** Largest decoded image, in pixels. */
const MAX_IMAGE_PIXELS = 64_000_000

/** Decoded 8-bit pixels, `channels` interleaved values a pixel, rows from the top. */
export interface RawImage {
  data: Uint8Array
  width: number
  height: number
  channels: number
}

export interface DecodeOptions {
  /** Honour the EXIF orientation, as image loaders of the Hugging Face libraries do. Default true. */
  autoOrient?: boolean
}

/** Decodes a PNG, JPEG or WebP. `name` is what errors call the image. */
export async function decodeImage(input: ImageInput, name: string, options: DecodeOptions = {}): Promise<RawImage> {
  return opened(input, name, async (image) => {
    if (options.autoOrient ?? true) image.autoOrient()
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels }
  })
}

/** Refuses what {@link decodeImage} would refuse by size, format and header, without decoding any pixels. */
export async function checkImage(input: ImageInput, name: string): Promise<void> {
  await opened(input, name, async (image) => {
    const { width, height } = await image.metadata()
    if (width * height > MAX_IMAGE_PIXELS) {
      throw new ColdstartError(
        'E_IMAGE_LIMIT',
        `${name}: ${width} × ${height} pixels; at most ${MAX_IMAGE_PIXELS} are read`,
      )
    }
  })
}

/** Hands an image whose header passed the checks to `use`; whatever goes wrong names the image. */
async function opened<T>(input: ImageInput, name: string, use: (image: Sharp) => Promise<T>): Promise<T> {
  const bytes = typeof input === 'string' ? await readImageFile(input, name) : input
  if (bytes.byteLength > MAX_IMAGE_BYTES) {
    throw new ColdstartError('E_IMAGE_LIMIT', `${name}: ${bytes.byteLength} bytes; at most ${MAX_IMAGE_BYTES} are read`)
  }
  if (!sniff(bytes)) {
    throw new ColdstartError('E_IMAGE_FORMAT', `${name}: not a PNG, JPEG or WebP (starts with ${hex(bytes)})`)
  }
  const { default: sharp } = await import('sharp')
  // ICC profiles are ignored because the reference processors ignore them; a truncated file is refused, never filled up.
  const image = sharp(bytes, { failOn: 'warning', limitInputPixels: MAX_IMAGE_PIXELS, ignoreIcc: true })
  try {
    const { space, depth } = await image.metadata()
    if (space === 'cmyk' || (depth !== undefined && depth !== 'uchar')) {
      throw new ColdstartError('E_IMAGE_MODE', `${name}: ${space} pixels of type ${depth}; expected 8-bit grey or RGB`)
    }
    return await use(image)
  } catch (cause) {
    if (cause instanceof ColdstartError) throw cause
    const message = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
    const code = message?.includes('pixel limit') ? 'E_IMAGE_LIMIT' : 'E_IMAGE_DECODE'
    throw new ColdstartError(code, `${name}: ${message}`, { cause })
  }
}

async function readImageFile(path: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new ColdstartError('E_PATH', `${name}: cannot read the image file ${path}`, { cause })
  }
}

function sniff(bytes: Uint8Array): boolean {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))
  return (
    text(1, 4) === 'PNG' ||
    (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) ||
    (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP')
  )
}

function hex(bytes: Uint8Array): string {
  return bytes.length === 0 ? 'no bytes' : Buffer.from(bytes.subarray(0, 4)).toString('hex')
}
