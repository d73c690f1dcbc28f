// Runs the TypeScript tests and counts from vitest's own report.

import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root, run, tool } from './project.mjs'

/** Runs vitest, or only the files whose path contains `file`. Resolves as `rustSuites`, a suite a file. */
export async function nodeSuites(file, onSuite) {
  const reportFile = join(tmpdir(), `coldstart-vitest-${process.pid}.json`)
  const [command, args] = tool('vitest/vitest.mjs')
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${reportFile}`]
  const code = await run(command, [...args, 'run', ...reporters, ...(file ? [file, '--passWithNoTests'] : [])], {
    stdio: ['ignore', process.stderr, process.stderr],
  })
  let report
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'))
  } catch {
    report = undefined // told below: a run without a report is a failure
  } finally {
    rmSync(reportFile, { force: true })
  }
  const suites = (report?.testResults ?? []).map(suiteOf)
  for (const suite of suites) onSuite(suite)
  const failed = suites.reduce((sum, suite) => sum + suite.failed, 0)
  if (report === undefined || (code !== 0 && failed === 0)) {
    const suite = { name: 'node (vitest)', passed: 0, failed: 1, skipped: [], failures: [], note: `exit code ${code}` }
    suites.push(suite)
    onSuite(suite)
  }
  return suites
}

function suiteOf(result) {
  const tests = result.assertionResults
  const named = (status) => tests.filter((test) => test.status === status).map((test) => test.fullName)
  const failures = named('failed')
  // A file that cannot be imported fails without a test of its own.
  const failed = result.status === 'failed' ? Math.max(1, failures.length) : failures.length
  const skipped = [...named('pending'), ...named('skipped'), ...named('todo'), ...named('disabled')]
  return { name: `node ${relative(root, result.name)}`, passed: named('passed').length, failed, skipped, failures }
}
