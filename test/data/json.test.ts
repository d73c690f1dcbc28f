import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxJsonDepth, parseJson } from '../../src/data/json.js'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** Text that is often almost JSON. */
const nearJson = fc
  .array(
    fc.constantFrom(
      ...'{}[]",:.-+eE0123456789 \n\t\\u00e9abtruefalsn'.split(''),
      '"a"',
      'null',
      'true',
      '1e5',
      '{"a":',
      '\u0000',
      '\u{1f600}',
    ),
    {
      maxLength: 24,
    },
  )
  .map((pieces) => pieces.join(''))

function accepts(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('parseJson', () => {
  it('gives the value that JSON.parse gives, for every value without repeated keys', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual({ value: JSON.parse(text) })
      }),
    )
  })

  it('refuses what JSON.parse refuses, and accepts the rest but for repeated keys', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        const { problem } = parseJson(text)
        if (problem === undefined) expect(accepts(text)).toBe(true)
        else if (!problem.message.endsWith('given twice')) expect(accepts(text)).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['{"a": 1,}', 8, 'a quoted key'],
    ['{"a" 1}', 5, '":"'],
    ['[1, 2', 5, 'ends where'],
    ['{"a": nope}', 6, 'a value'],
    ['{"a": "b\u0000"}', 8, 'control character'],
    ['{"a": "\\x"}', 7, 'bad escape'],
    ['{"a": 1} {"b": 2}', 9, 'the end'],
    ['"abc', 4, 'inside a string'],
  ])('names the place of the mistake in %j', (text, index, message) => {
    expect(parseJson(text).problem).toMatchObject({ index, message: expect.stringContaining(message) })
  })

  it('accepts nesting at the limit and refuses one level more', () => {
    expect(parseJson(nested(maxJsonDepth)).problem).toBeUndefined()
    expect(parseJson(nested(maxJsonDepth + 1)).problem?.message).toMatch(/nested deeper than 64/)
  })

  it('refuses nesting that would overflow a stack, quickly', () => {
    expect(parseJson(nested(1_000_000)).problem?.message).toMatch(/nested deeper/)
  })

  it('refuses a key given twice, also when one of them is escaped', () => {
    expect(parseJson('{"a": 1, "a": 2}').problem).toEqual({ index: 9, message: 'the key "a" is given twice' })
    expect(parseJson('{"a": 1, "\\u0061": 2}').problem?.message).toMatch(/given twice/)
  })

  it('keeps __proto__ as an ordinary key', () => {
    const result = parseJson('{"__proto__": {"polluted": true}}')
    const value = (result as { value: object }).value
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
