import { describe, expect, it } from 'vitest'
import { suiteOf } from '../../scripts/lib/node-tests.mjs'
import { root } from '../../scripts/lib/project.mjs'

const name = `${root}/test/errors.test.ts`

describe('suiteOf', () => {
  it('counts the tests of a file and says why one failed', () => {
    const tests = [
      { status: 'passed', fullName: 'one', failureMessages: [] },
      { status: 'failed', fullName: 'two', failureMessages: ['\u001b[31mexpected 1\u001b[39m\n    at somewhere'] },
      { status: 'skipped', fullName: 'three', failureMessages: [] },
    ]
    expect(suiteOf({ name, status: 'failed', message: '', assertionResults: tests })).toEqual({
      name: 'node test/errors.test.ts',
      passed: 1,
      failed: 1,
      skipped: ['three'],
      failures: [{ name: 'two', message: 'expected 1\n    at somewhere' }],
    })
  })

  it('a file that cannot be imported is one failure', () => {
    const suite = suiteOf({ name, status: 'failed', message: 'no such export', assertionResults: [] })
    expect(suite).toMatchObject({ passed: 0, failed: 1, failures: [{ message: 'no such export' }] })
  })
})
