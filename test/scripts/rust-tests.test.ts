import { describe, expect, it } from 'vitest'
import { RustOutput } from '../../scripts/lib/rust-tests.mjs'

function read(text: string, code = 0) {
  const output = new RustOutput()
  for (const line of text.split('\n')) output.line(line)
  output.end(code)
  return output
}

const passing = `   Compiling a v0.1.0
     Running unittests src/lib.rs (target/release/deps/coldstart_gemm-0123456789abcdef)

running 3 tests
test pool::nested ... ok
test pool::slow ... ignored, takes an hour
test product ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests coldstart_gemm

running 1 test
test crates/gemm/src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
`

describe('RustOutput', () => {
  it('counts each test binary and its doc tests, and names ignored tests', () => {
    expect(read(passing).suites).toEqual([
      {
        name: 'rust coldstart_gemm (unittests src/lib.rs)',
        passed: 2,
        failed: 0,
        skipped: ['pool::slow'],
        failures: [],
      },
      { name: 'rust coldstart_gemm (doc tests)', passed: 1, failed: 0, skipped: [], failures: [] },
    ])
  })

  it('names failed tests, each with what it printed', () => {
    const failing = passing
      .replace('product ... ok', 'product ... FAILED')
      .replace('pool::nested ... ok', 'pool::nested ... FAILED')
      .replace(
        '\ntest result: ok. 2 passed; 0 failed',
        `
failures:

---- product stdout ----
thread 'product' panicked at crates/gemm/src/lib.rs:3:1:
left is not right

---- pool::nested stdout ----
a worker is missing

failures:
    pool::nested
    product

test result: FAILED. 0 passed; 2 failed`,
      )
    const { suites } = read(failing, 101)
    expect(suites).toMatchObject([
      { passed: 0, failed: 2 },
      { passed: 1, failures: [] },
    ])
    expect(suites[0]?.failures).toEqual([
      { name: 'pool::nested', message: 'a worker is missing\n\n' },
      {
        name: 'product',
        message: "thread 'product' panicked at crates/gemm/src/lib.rs:3:1:\nleft is not right\n\n",
      },
    ])
  })

  it('a binary that dies without a result is a failure', () => {
    const dying = passing.replace(/\ntest result: ok\. 2 passed.*\n/, '\n')
    expect(read(dying, 101).suites).toMatchObject([{ failed: 1, note: 'ended without a result' }, { passed: 1 }])
    expect(read(passing.slice(0, passing.indexOf('\ntest result: ok. 1')), 101).suites).toMatchObject([
      { passed: 2 },
      { failed: 1 },
    ])
  })

  it('a build that fails is a failure although no suite ran', () => {
    expect(read('error[E0425]: cannot find value', 101).suites).toMatchObject([{ passed: 0, failed: 1 }])
  })

  it('keeps for the reader what is no passed test', () => {
    const { other } = read(passing)
    expect(other.join('\n')).toContain('Compiling')
    expect(other.join('\n')).not.toContain('... ok')
  })
})
