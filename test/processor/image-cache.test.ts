import { expect, it } from 'vitest'
import { ImageCache } from '../../src/processor/image-cache.js'

const image = (bytes: number) => ({ data: new Uint8Array(bytes), width: bytes, height: 1, channels: 1 })

it('never holds more bytes than its limit and lets the least recently used go first', () => {
  const cache = new ImageCache(10)
  cache.set('a', image(4))
  cache.set('b', image(4))
  cache.get('a')
  cache.set('c', image(4))
  expect(cache.bytes).toBe(8)
  expect(cache.get('b')).toBeUndefined()
  expect(cache.get('a')).toBeDefined()
})

it('does not keep an image larger than the limit', () => {
  const cache = new ImageCache(10)
  cache.set('a', image(11))
  expect(cache.bytes).toBe(0)
})
