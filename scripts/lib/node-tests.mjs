// Runs the TypeScript tests and counts from vitest's own report.

import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { root, run, tool } from './project.mjs'

/** Runs vitest, or only the files whose path contains `file`. Resolves as `rustSuites`, a suite a file. */
export async function nodeSuites(file, onSuite) {
  const reportFile = join(tmpdir(), `coldstart-vitest-${process.pid}.json`)
  const [command, args] = tool('vitest/vitest.mjs')
  const reporters = ['--reporter=dot', '--no-color', '--reporter=json', `--outputFile.json=${reportFile}`]
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

/** A file's suite, from what vitest's JSON reporter says of it. */
export function suiteOf(result) {
  const tests = result.assertionResults
  const withStatus = (status) => tests.filter((test) => test.status === status)
  const named = (status) => withStatus(status).map((test) => test.fullName)
  const failures = withStatus('failed').map(({ fullName, failureMessages }) => ({
    name: fullName,
    message: stripVTControlCharacters(failureMessages.join('\n')),
  }))
  // A file that cannot be imported fails without a test of its own.
  if (result.status === 'failed' && failures.length === 0) {
    failures.push({ name: '(the file itself)', message: stripVTControlCharacters(result.message ?? '') })
  }
  const failed = failures.length
  const skipped = [...named('pending'), ...named('skipped'), ...named('todo'), ...named('disabled')]
  return { name: `node ${relative(root, result.name)}`, passed: named('passed').length, failed, skipped, failures }
}
