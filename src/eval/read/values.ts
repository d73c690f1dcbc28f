/** Published values in our words: plain data for text columns, images that are read when they are needed. */

import { maxImagesPerRow, tooManyImages } from '../../data/images.js'
import type { PathResolver } from '../../data/paths.js'
import type { ImageInput } from '../../data/types.js'
import { ColdstartError } from '../../errors.js'
import type { RowImage } from '../types.js'

/** Reads the value of an image column again, when the image is wanted. */
export type Reread = () => Promise<unknown>

/**
 * The images of a column: a {@link RowImage}, an array of them for a list, or null for nothing.
 *
 * @param value a path, bytes, `{ bytes, path }` as the hub stores images, or a list of these. Only its form is looked at.
 * @param reread gives the same value again; its bytes are not held in between.
 */
export function imageColumn(
  value: unknown,
  source: string,
  reread: Reread,
  paths: PathResolver,
): RowImage | RowImage[] | null {
  if (Array.isArray(value)) {
    if (value.length > maxImagesPerRow) {
      throw new ColdstartError('E_IMAGE_LIMIT', `${source}: ${tooManyImages(value.length).message}`)
    }
    return value.flatMap((element, index) => {
      const again = async () => ((await reread()) as unknown[])[index]
      const image = imageColumn(element, `${source}[${index}]`, again, paths)
      return image === null ? [] : image
    })
  }
  if (isNothing(value)) return null
  return { source, read: async () => inputOf(await reread(), source, paths) }
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  if (typeof value !== 'object' || value instanceof Uint8Array) return false
  const { bytes, path } = value as { bytes?: unknown; path?: unknown }
  return isNothing(bytes) && isNothing(path)
}

function inputOf(value: unknown, source: string, paths: PathResolver): ImageInput {
  if (value instanceof Uint8Array) return value
  const { bytes, path = value } = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  if (bytes instanceof Uint8Array) return bytes
  if (typeof path !== 'string') throw new ColdstartError('E_DATA_ROW', `${source}: expected an image's bytes or path`)
  try {
    return paths.resolve(path)
  } catch (error) {
    if (!(error instanceof ColdstartError)) throw error
    // Its hint is about an option of training data; benchmarks have no images outside their folder.
    throw new ColdstartError(error.code, `${source}: ${error.message}`, { cause: error })
  }
}

/**
 * A value as JSON knows it: 64-bit integers become numbers, or text beyond 2^53; dates ISO text; bytes UTF-8 text;
 * typed arrays lists; what JSON has no word for (absent, NaN, infinite) null.
 */
export function plain(value: unknown, source: string): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'object') return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return utf8(value, source)
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<unknown>, (item) => plain(item, source))
  if (Array.isArray(value)) return value.map((item) => plain(item, source))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, source)]))
}

function utf8(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new ColdstartError('E_DATA_FORMAT', `${source}: bytes that are no text in a column that holds text`, {
      cause,
    })
  }
}
