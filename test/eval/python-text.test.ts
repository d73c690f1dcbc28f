import { expect, it } from 'vitest'
import { afterLast, beforeFirst, pythonLength, pythonSplit, pythonStrip } from '../../src/eval/python-text.js'

it('strips what Python calls white space, and no byte order mark', () => {
  expect(pythonStrip('\t\x1c\u0085\u3000 a b \n')).toBe('a b')
  expect(pythonStrip('\ufeffa')).toBe('\ufeffa')
  expect(pythonStrip(' \n ')).toBe('')
})

it('splits at runs of white space and gives no empty word', () => {
  expect(pythonSplit('  a\u00a0\n b ')).toEqual(['a', 'b'])
  expect(pythonSplit(' ')).toEqual([])
})

it('cuts at the first or the last separator, or not at all', () => {
  expect(afterLast('a=b=c', '=')).toBe('c')
  expect(beforeFirst('a=b=c', '=')).toBe('a')
  expect(afterLast('abc', '=')).toBe('abc')
  expect(beforeFirst('abc', '=')).toBe('abc')
})

it('counts code points', () => {
  expect(pythonLength('👍🏽é')).toBe(3)
  expect(pythonLength('\ud800a')).toBe(2)
})
