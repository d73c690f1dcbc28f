// From an image file or its bytes to raw pixels, by sharp. Formats and limits are checked before any decoder runs.
import { readFile } from 'node:fs/promises'
import type { Sharp } from 'sharp'
import { fileSize, refusalOf } from '../data/file.js'
import { maxImageBytes, tooManyBytes } from '../data/images.js'
import type { ImageInput } from '../data/types.js'
import { ColdstartError } from '../errors.js'

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
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

/**
 * Decodes a PNG, JPEG or WebP.
 *
 * @param name what errors call the image; for a file it should say the path.
 * @throws ColdstartError `E_PATH` for a file that cannot be read, `E_IMAGE_LIMIT` for too many bytes or pixels, `E_IMAGE_FORMAT` for
 * another format, `E_IMAGE_MODE` for CMYK or more than 8 bits, `E_IMAGE_DECODE` for a damaged image.
 */
export async function decodeImage(input: ImageInput, name: string, options: DecodeOptions = {}): Promise<RawImage> {
  return opened(input, name, async (image) => {
    if (options.autoOrient ?? true) image.autoOrient()
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels }
  })
}

/** Refuses what {@link decodeImage} would refuse by size, format and header, with the same codes, without decoding any pixels. */
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
  if (bytes.byteLength > maxImageBytes) throw tooManyBytes(bytes.byteLength, name)
  if (!sniff(bytes)) {
    throw new ColdstartError('E_IMAGE_FORMAT', `${name}: not a PNG, JPEG or WebP (starts with ${hex(bytes)})`)
  }
  const { default: sharp } = await import('sharp')
  // ICC profiles are ignored because the reference processors ignore them; a truncated file is refused, never filled up.
  const image = sharp(bytes, { failOn: 'warning', limitInputPixels: MAX_IMAGE_PIXELS, ignoreIcc: true })
  try {
    const { format, space, depth } = await image.metadata()
    // The decoder looks for itself; whatever else it can do must not be reached.
    if (format !== 'png' && format !== 'jpeg' && format !== 'webp') {
      throw new ColdstartError('E_IMAGE_FORMAT', `${name}: expected a PNG, JPEG or WebP, got ${format}`)
    }
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

/**
 * The encoded bytes of an image file, of which a larger one than the limit is never read.
 *
 * @param name what errors call the image; it should say the path.
 * @throws ColdstartError `E_PATH` for what is no file or cannot be read, `E_IMAGE_LIMIT` for one that is too large.
 */
export async function readImageFile(path: string, name: string): Promise<Uint8Array> {
  const size = await fileSize(path, name)
  if (size > maxImageBytes) throw tooManyBytes(size, name)
  try {
    return await readFile(path)
  } catch (cause) {
    throw new ColdstartError('E_PATH', `${name}: ${refusalOf(cause)}`, { cause })
  }
}

function sniff(bytes: Uint8Array): boolean {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))
  return (
    Buffer.from(PNG_SIGNATURE).equals(bytes.subarray(0, PNG_SIGNATURE.length)) ||
    (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) ||
    (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP')
  )
}

function hex(bytes: Uint8Array): string {
  return bytes.length === 0 ? 'no bytes' : Buffer.from(bytes.subarray(0, 4)).toString('hex')
}
