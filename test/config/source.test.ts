import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxConfigBytes, parseConfig } from '../../src/config/source.js'
import { ColdstartError } from '../../src/errors.js'

const parse = (text: string, environment: NodeJS.ProcessEnv = {}) => parseConfig(text, 'run.yaml', environment)

function messageOf(text: string, environment: NodeJS.ProcessEnv = {}): string {
  try {
    parse(text, environment)
  } catch (error) {
    expect(error).toBeInstanceOf(ColdstartError)
    expect((error as ColdstartError).code).toBe('E_CONFIG')
    return (error as ColdstartError).message
  }
  throw new Error('was accepted')
}

describe('parseConfig', () => {
  it('reads YAML 1.2: 1e-5 is a number, no is a word', () => {
    expect(parse('a: 1e-5\nb: no\nc: [1, x]').value).toEqual({ a: 1e-5, b: 'no', c: [1, 'x'] })
  })

  it('an empty file is an empty configuration', () => {
    expect(parse('').value).toEqual({})
  })

  it('knows where values and keys stand, and falls back to the nearest parent', () => {
    const source = parse('model:\n  path: x\n\nargs:\n  seed: 1\n')
    expect(source.locate(['model', 'path'])).toBe('run.yaml:2:9')
    expect(source.locateKey(['args'], 'seed')).toBe('run.yaml:5:3')
    expect(source.locate(['args', 'missing', 'deeper'])).toBe('run.yaml:5:3')
    expect(source.locateKey([], 'args')).toBe('run.yaml:4:1')
  })

  it('syntax errors and repeated keys name line and column', () => {
    expect(messageOf('a: [1, 2')).toMatch(/^run\.yaml:1:\d+: /)
    expect(messageOf('a: 1\nb: 2\na: 3')).toMatch(/^run\.yaml:3:1: Map keys must be unique/)
  })

  it('a document of aliases that would expand without bound is refused', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`)
    expect(messageOf(['l0: &l0 [x]', ...levels].join('\n'))).toMatch(/alias/i)
  })

  it('a file above the limit is refused unread', () => {
    expect(messageOf('#'.repeat(maxConfigBytes + 1))).toContain('larger than')
  })

  it('__proto__ is a key like any other', () => {
    const { value } = parse('__proto__:\n  polluted: true\n')
    expect(Object.keys(value as object)).toEqual(['__proto__'])
    expect((value as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('never crashes, whatever the text', () => {
    const word = fc.constantFrom(
      'a: ',
      '- ',
      '&x ',
      '*x',
      '<<: ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '|',
      '>',
      '\n',
      '  ',
      '!!',
      '1e999',
      '%',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 20 }).map((words) => words.join('')),
        ),
        (text) => {
          try {
            parse(text)
          } catch (error) {
            expect(error).toBeInstanceOf(ColdstartError)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('environment variables', () => {
  it('replace ${env:NAME}; a plain one may be a number, a quoted one is text', () => {
    const source = parse('rate: ${env:RATE}\ntext: "${env:RATE}"\npath: ${env:HOME}/data', { RATE: '1e-4', HOME: '/h' })
    expect(source.value).toEqual({ rate: 1e-4, text: '1e-4', path: '/h/data' })
  })

  it('are never parsed as structure', () => {
    expect(parse('a: ${env:X}', { X: '{b: 1}' }).value).toEqual({ a: '{b: 1}' })
    expect(parse('a: ${env:X}', { X: 'b: 1\nc: 2' }).value).toEqual({ a: 'b: 1\nc: 2' })
  })

  it('that are not set are an error with its place', () => {
    expect(messageOf('a: 1\nb: ${env:NOT_SET}')).toBe('run.yaml:2:4: environment variable NOT_SET is not set')
  })

  it('are not replaced in keys', () => {
    expect(parse('"${env:X}": 1', { X: 'y' }).value).toEqual({ '${env:X}': 1 })
  })

  it('are remembered by the path of the value', () => {
    const { fromEnvironment } = parse('a:\n  b: ${env:X}\n  c: [k, "${env:Y}"]', { X: '1', Y: '2' })
    expect([...fromEnvironment]).toEqual([
      ['a.b', 'X'],
      ['a.c.1', 'Y'],
    ])
  })
})
