// Decoded pixels of image files, least recently used out first, within a fixed number of bytes.
import type { RawImage } from './decode.js'

/** Small images are read every epoch: keeping their pixels saves a decode; a large data set passes through without growing the process. */
export class ImageCache {
  readonly #limit: number
  readonly #images = new Map<string, RawImage>()
  #bytes = 0

  /** @param limit bytes of pixels kept at most; 0 keeps none. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes of pixels held now. */
  get bytes(): number {
    return this.#bytes
  }

  get(path: string): RawImage | undefined {
    const image = this.#images.get(path)
    if (!image) return undefined
    this.#images.delete(path)
    this.#images.set(path, image)
    return image
  }

  set(path: string, image: RawImage): void {
    if (image.data.byteLength > this.#limit || this.#images.has(path)) return
    this.#images.set(path, image)
    this.#bytes += image.data.byteLength
    for (const [oldest, { data }] of this.#images) {
      if (this.#bytes <= this.#limit) break
      this.#images.delete(oldest)
      this.#bytes -= data.byteLength
    }
  }
}
