import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8, foreignEncoding, lineAndColumn, withoutBom } from '../../src/data/text.js'

describe('decodeUtf8', () => {
  it('gives back every well-formed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeUtf8(Buffer.from(text))).toEqual({ text })
      }),
    )
  })

  it('names the first byte that belongs to no character, wherever it stands', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      // A byte that never occurs, and the beginnings of longer characters.
      fc.property(text, fc.constantFrom([0xff], [0xe9], [0xf0, 0x9f]), text, (before, bad, after) => {
        const bytes = Buffer.concat([Buffer.from(before), Buffer.from(bad), Buffer.from(after)])
        expect(decodeUtf8(bytes)).toEqual({ badByte: Buffer.byteLength(before) })
      }),
    )
  })

  it('names the start of a character that the end cuts off', () => {
    expect(decodeUtf8(Buffer.from('aé').subarray(0, 2))).toEqual({ badByte: 1 })
  })
})

describe('foreignEncoding', () => {
  it.each([
    [[0xff, 0xfe, 0x7b, 0x00], 'UTF-16'],
    [[0x1f, 0x8b, 8, 0], 'gzip'],
    [[0x50, 0x4b, 3, 4], 'zip'],
    [[...Buffer.from('PAR1')], 'parquet'],
  ])('recognises %j as %s', (head, name) => {
    expect(foreignEncoding(Uint8Array.from(head))).toContain(name)
  })

  it('knows nothing against JSON, or an empty file', () => {
    expect(foreignEncoding(Buffer.from('{"a"'))).toBeUndefined()
    expect(foreignEncoding(new Uint8Array())).toBeUndefined()
  })
})

it('a byte order mark is no part of the text', () => {
  expect(withoutBom(Buffer.from('\ufeffa'))).toEqual(Buffer.from('a'))
  expect(withoutBom(Buffer.from('a'))).toEqual(Buffer.from('a'))
})

it('lines and columns count from one', () => {
  expect(lineAndColumn('ab\ncd', 0)).toEqual({ line: 1, column: 1 })
  expect(lineAndColumn('ab\ncd', 4)).toEqual({ line: 2, column: 2 })
})
