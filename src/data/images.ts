/** Images as data sets write them: paths, bytes, Hugging Face structs, `data:` URLs. */

import { ColdstartError } from '../errors.js'
import type { PathResolver } from './paths.js'
import type { ImageInput } from './types.js'

/** Most images in one row. */
export const maxImagesPerRow = 16

/** Largest image, in encoded bytes. */
export const maxImageBytes = 32 * 1024 * 1024

const dataUrl = /^data:(image\/[\w.+-]+)?(;[\w=.+-]+)*;base64,/i

/**
 * One image value: a path, a `data:` URL with base64, bytes, `{ bytes, path }` (Hugging Face), `{ path }` or `{ url }`.
 *
 * @param name what it is called in the row, for the error.
 * @throws ColdstartError `E_DATA_ROW`, `E_PATH`, `E_URL_BLOCKED`, or `E_IMAGE_LIMIT` above {@link maxImageBytes}.
 */
export function imageOf(value: unknown, name: string, paths: PathResolver): ImageInput {
  // A copy: the fingerprint of a data set is that of these bytes, whatever their owner does with them later.
  if (value instanceof Uint8Array) return new Uint8Array(checkedSize(value, name))
  if (typeof value === 'string') {
    const match = dataUrl.exec(value)
    return match === null ? paths.resolve(value) : decodeBase64(value.slice(match[0].length), name)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { bytes, path, url } = value as { bytes?: unknown; path?: unknown; url?: unknown }
    if (bytes instanceof Uint8Array) return new Uint8Array(checkedSize(bytes, name))
    if (typeof bytes === 'string') return decodeBase64(bytes, name)
    if (typeof path === 'string') return paths.resolve(path)
    if (typeof url === 'string') return imageOf(url, name, paths)
  }
  throw new ColdstartError('E_DATA_ROW', `${name}: expected a path, bytes or { bytes, path }, got ${kindOf(value)}`)
}

/** The row's list of images: absent, one image or an array. */
export function imagesOf(value: unknown, name: string, paths: PathResolver): ImageInput[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return [imageOf(value, name, paths)]
  if (value.length > maxImagesPerRow) throw tooManyImages(value.length)
  return value.map((image, index) => imageOf(image, `${name}[${index}]`, paths))
}

/** The error for an image of more encoded bytes than {@link maxImageBytes}. */
export function tooManyBytes(bytes: number, name: string): ColdstartError {
  return new ColdstartError('E_IMAGE_LIMIT', `${name}: ${bytes} bytes; the most is ${maxImageBytes}`)
}

/** The error for a row with more images than {@link maxImagesPerRow}. */
export function tooManyImages(count: number): ColdstartError {
  return new ColdstartError('E_IMAGE_LIMIT', `${count} images in one row; the most is ${maxImagesPerRow}`)
}

function decodeBase64(text: string, name: string): Uint8Array {
  // Buffer.from drops what it does not know; a damaged image must not become a shorter one.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 === 1) {
    throw new ColdstartError('E_DATA_ROW', `${name}: the bytes are not base64`)
  }
  return checkedSize(Buffer.from(text, 'base64'), name)
}

function checkedSize(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes.length === 0) throw new ColdstartError('E_DATA_ROW', `${name}: no bytes`)
  if (bytes.length > maxImageBytes) throw tooManyBytes(bytes.length, name)
  return bytes
}

/** What a value is, for "expected …, got …". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}
