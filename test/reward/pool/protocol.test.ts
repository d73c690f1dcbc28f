import fc from 'fast-check'
import { expect, it } from 'vitest'
import { framed, frameReader } from '../../../src/reward/pool/protocol.js'

it('frames arrive whole and in order, however the stream is cut', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.flatMap((bytes) => framed(bytes)))
      const got: Buffer[] = []
      const read = frameReader((bytes) => got.push(Buffer.from(bytes)))
      for (let at = 0, k = 0; at < stream.length; k++) {
        const size = cuts[k % cuts.length] as number
        read(stream.subarray(at, at + size))
        at += size
      }
      expect(got.map((bytes) => [...bytes])).toEqual(sent.map((bytes) => [...bytes]))
    }),
  )
})
