// Small pictures of rows, as data URIs, as far as a page has room for them.
import type { RowImage } from '../eval/types.js'
import { decodeImage } from '../processor/decode.js'

/** Longest side of a thumbnail, in pixels: sharp at the width it is shown on a dense screen. */
const SIDE = 320
/** Images read together. */
const TOGETHER = 4

/** Thumbnails by place in the list. */
export interface Thumbnails {
  uris: Map<number, string>
  /** Images from this place on were not tried: the room was used up. */
  end: number
  /** Images that could not be read. */
  failed: number
}

/** Shrinks the images in their order until their URIs fill `room` characters; `undefined` stands for no image. */
export async function thumbnailsOf(images: readonly (RowImage | undefined)[], room: number): Promise<Thumbnails> {
  const uris = new Map<number, string>()
  let used = 0
  let failed = 0
  for (let first = 0; first < images.length; first += TOGETHER) {
    const made = await Promise.all(images.slice(first, first + TOGETHER).map(thumbnail))
    for (const [offset, uri] of made.entries()) {
      if (uri === null) failed += 1
      if (!uri) continue
      used += uri.length
      if (used > room) return { uris, end: first + offset, failed }
      uris.set(first + offset, uri)
    }
  }
  return { uris, end: images.length, failed }
}

/** null: it could not be read. A report does without it, where an evaluation would have stopped. */
async function thumbnail(image: RowImage | undefined): Promise<string | null | undefined> {
  if (image === undefined) return undefined
  try {
    const { data, width, height, channels } = await decodeImage(await image.read(), image.source)
    const { default: sharp } = await import('sharp')
    const webp = await sharp(data, { raw: { width, height, channels: channels as 1 | 2 | 3 | 4 } })
      .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .webp({ quality: 60 })
      .toBuffer()
    return `data:image/webp;base64,${webp.toString('base64')}`
  } catch {
    return null
  }
}
