import { expect, it } from 'vitest'
import { parsePythonLiteral } from '../../src/eval/benchmarks/python-literal.js'

it('reads what Python prints: dictionaries, lists, texts, numbers and words', () => {
  expect(parsePythonLiteral(`{'a': 'x', "b": ["it's", 1, -2.5, True, None], 'c': {}}`)).toEqual({
    a: 'x',
    b: ["it's", 1, -2.5, true, null],
    c: {},
  })
  expect(parsePythonLiteral("'a\\'b\\n'")).toBe("a'b\n")
})

it('keeps __proto__ an ordinary key', () => {
  const value = parsePythonLiteral("{'__proto__': 1}")
  expect(Object.getOwnPropertyNames(value)).toEqual(['__proto__'])
})

it.each([
  "{'a': f()}",
  "{'a' 1}",
  "{'a': 1",
  "'a",
  '{1: 2}',
  "['a' 'b']",
  "'\\x41'",
  '',
  '{} {}',
  'nan',
  '['.repeat(100_000),
])('has no value for %j', (text) => {
  expect(parsePythonLiteral(text)).toBeUndefined()
})
