/** Every image is decoded before a token is generated: a bad one at row 5,000 must not end a run after a night. */

import { createHash } from 'node:crypto'
import { decodeImage, readImageFile } from '../../processor/decode.js'
import type { RowImage } from '../types.js'

/** Images read together. */
const together = 8

/** Images of a row and whether its response is still to come. */
export interface RowImages {
  images: readonly RowImage[]
  pending: boolean
}

/**
 * Reads the images of all rows and decodes those of pending ones. Returns the SHA-256, in hex, over all encoded images
 * in their order.
 *
 * @throws ColdstartError with the code of the fault, naming file and row; the signal's reason when aborted.
 */
export async function checkImages(
  rows: readonly RowImages[],
  options: { signal?: AbortSignal | undefined; onProgress?: (done: number, total: number) => void } = {},
): Promise<string> {
  const queue = rows.flatMap(({ images, pending }, row) => images.map((image) => ({ image, row, pending })))
  const hash = createHash('sha256')
  for (let first = 0; first < queue.length; first += together) {
    options.signal?.throwIfAborted()
    const batch = queue.slice(first, first + together)
    const contents = await Promise.all(
      batch.map(async ({ image, pending }) => {
        const bytes = await bytesOf(image)
        if (pending) await decodeImage(bytes, image.source)
        return bytes
      }),
    )
    for (const [index, bytes] of contents.entries()) hash.update(`${batch[index]!.row} ${bytes.length}\n`).update(bytes)
    options.onProgress?.(Math.min(first + together, queue.length), queue.length)
  }
  return hash.digest('hex')
}

async function bytesOf(image: RowImage): Promise<Uint8Array> {
  const input = await image.read()
  return typeof input === 'string' ? readImageFile(input, `${image.source}, image ${input}`) : input
}
