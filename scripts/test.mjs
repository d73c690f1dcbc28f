// Every test of the project, Rust and TypeScript, with one line a suite and the sum at the end:
//
//     node scripts/test.mjs [--only rust|node] [--file name]
//
// The last line is `N passed, N failed`. The exit code is 1 when a test failed, or a suite did not run, or nothing ran.

import { parseArgs } from 'node:util'
import { nodeSuites } from './lib/node-tests.mjs'
import { rustSuites } from './lib/rust-tests.mjs'

const { values } = parseArgs({ options: { only: { type: 'string' }, file: { type: 'string' } } })
const runners = { rust: rustSuites, node: nodeSuites }
if (values.only !== undefined && !(values.only in runners)) throw new Error('--only takes rust or node')

function report({ name, passed, failed, skipped, note }) {
  if (passed + failed + skipped.length === 0) return
  const parts = [`${passed} passed`, `${failed} failed`]
  if (skipped.length > 0) parts.push(`${skipped.length} skipped`)
  if (note !== undefined) parts.push(note)
  console.log(`${name}: ${parts.join(', ')}`)
}

const suites = []
for (const [name, runner] of Object.entries(runners)) {
  if (values.only !== undefined && values.only !== name) continue
  const begin = performance.now()
  const results = await runner(values.file, report)
  suites.push(...results)
  console.log(`${name}: ${results.length} suites in ${((performance.now() - begin) / 1000).toFixed(0)} s`)
}

const sum = (field) => suites.reduce((total, suite) => total + suite[field], 0)
const passed = sum('passed')
const failed = sum('failed')
for (const suite of suites) for (const name of suite.skipped) console.log(`skipped: ${suite.name}: ${name}`)
for (const suite of suites) {
  // Why it failed stands beside its name, at the end, where it is looked for; the whole of it stands further up.
  for (const { name, message } of suite.failures) {
    console.log(`failed: ${suite.name}: ${name}`)
    const lines = message.split('\n').filter((line) => line.trim() !== '' && !/node_modules|node:internal/.test(line))
    for (const line of lines.slice(0, 12)) console.log(`failed:     ${line.slice(0, 300)}`)
  }
}
const skipped = suites.reduce((total, suite) => total + suite.skipped.length, 0)
if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
