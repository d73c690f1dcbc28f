// Runs every Rust suite and counts from the output of each test binary, because cargo's exit code counts nothing and a
// binary that dies prints no result.

import { execFileSync } from 'node:child_process'
import { runLines } from './project.mjs'

const suiteStart = /^\s+(?:Running (\S.*) \(.*\/([\w-]+)-[0-9a-f]+\)|Doc-tests (\S+))$/
const suiteEnd = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/
const passedTest = /^test .+ \.\.\. ok$/
const ignoredTest = /^test (.+) \.\.\. ignored/
const failedTest = /^test (.+) \.\.\. FAILED/
/** Heads what a failed test printed; the next such line, or a line `failures:`, ends it. */
const outputOf = /^---- (\S+) stdout ----$/

/**
 * Reads the output of `cargo test --no-fail-fast`, both streams together, line by line. A suite is one test binary:
 * `{ name, passed, failed, skipped: [names], failures: [{ name, message }], note? }`.
 */
export class RustOutput {
  suites = []
  /** Lines that are no passed or ignored test: what to show when something failed. */
  other = []
  #open
  /** The failure whose output is being read. */
  #telling
  #onSuite

  constructor(onSuite = () => {}) {
    this.#onSuite = onSuite
  }

  line(text) {
    const start = suiteStart.exec(text)
    if (start !== null) {
      this.#abandon()
      this.#telling = undefined
      const name = start[3] === undefined ? `rust ${start[2]} (${start[1]})` : `rust ${start[3]} (doc tests)`
      this.#open = { name, passed: 0, failed: 0, skipped: [], failures: [] }
      return
    }
    const end = suiteEnd.exec(text)
    if (end !== null && this.#open !== undefined) {
      this.#finish({ ...this.#open, passed: Number(end[1]), failed: Number(end[2]) })
      return
    }
    const ignored = ignoredTest.exec(text)
    if (ignored !== null) this.#open?.skipped.push(ignored[1])
    const failed = failedTest.exec(text)
    if (failed !== null) this.#open?.failures.push({ name: failed[1], message: '' })
    const told = outputOf.exec(text)
    if (told !== null) this.#telling = this.#open?.failures.find(({ name }) => name === told[1])
    else if (text === 'failures:') this.#telling = undefined
    else if (this.#telling !== undefined) this.#telling.message += `${text}\n`
    if (ignored === null && !passedTest.test(text)) this.other.push(text)
  }

  /** Tells the end of the output, with cargo's exit code. */
  end(code) {
    this.#abandon()
    const failed = this.suites.reduce((sum, suite) => sum + suite.failed, 0)
    // It did not compile, or cargo itself failed: there is no suite to blame.
    if (code !== 0 && failed === 0) {
      this.#finish({
        name: 'rust (cargo test)',
        passed: 0,
        failed: 1,
        skipped: [],
        failures: [],
        note: `exit code ${code}`,
      })
    }
  }

  #finish(suite) {
    this.#open = undefined
    this.suites.push(suite)
    this.#onSuite(suite)
  }

  /** A suite that began and never gave its result died. */
  #abandon() {
    if (this.#open === undefined) return
    this.#finish({ ...this.#open, failed: Math.max(1, this.#open.failures.length), note: 'ended without a result' })
  }
}

/** Runs the Rust tests of the workspace, or only the integration tests in files called `file`. */
export async function rustSuites(file, onSuite) {
  const output = new RustOutput(onSuite)
  // The addon is built for a named target, so naming it here too lets both share their dependencies.
  const args = [
    'test',
    '--release',
    '--workspace',
    '--no-fail-fast',
    '--target',
    hostTarget(),
    ...(file ? ['--test', file] : []),
  ]
  output.end(await runLines('cargo', args, (text) => output.line(text)))
  if (output.suites.some((suite) => suite.failed > 0)) process.stderr.write(`${output.other.join('\n')}\n`)
  return output.suites
}

function hostTarget() {
  const facts = execFileSync('rustc', ['-vV'], { encoding: 'utf8' })
  return /^host: (.+)$/m.exec(facts)[1]
}
