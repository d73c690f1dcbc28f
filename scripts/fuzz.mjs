// Feeds the grader random answers for a while; installs cargo-fuzz if it is missing.
//
//     node scripts/fuzz.mjs [--seconds 30] [--unbounded]
//
// The exit code is 0 if nothing failed; a failing input is kept in crates/grader/fuzz/artifacts. With --unbounded the limits are
// raised, and the exit code is 0 only if that was noticed: the test would find a grader without bounds. No sanitizer is used
// (the crate has no unsafe code), so stable Rust does.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { at, run } from './lib/project.mjs'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, unbounded: { type: 'boolean', default: false } },
})
const seconds = Number(values.seconds)
if (!Number.isInteger(seconds) || seconds < 1) throw new Error('--seconds takes a whole number of at least 1')

const cwd = at('crates/grader/fuzz')
const cargo = (args, options = {}) => run('cargo', args, { cwd, ...options })

if (spawnSync('cargo', ['fuzz', '--version'], { stdio: 'ignore' }).status !== 0) {
  if ((await cargo(['install', 'cargo-fuzz', '--locked'])) !== 0) {
    throw new Error('cargo-fuzz could not be installed; try: cargo install cargo-fuzz --locked')
  }
}

// New inputs go to the first folder; the seeds in the repository stay as they are.
const found = mkdtempSync(join(tmpdir(), 'coldstart-fuzz-'))
const failures = values.unbounded ? found : join(cwd, 'artifacts', 'grade')
mkdirSync(failures, { recursive: true })
const build = ['--sanitizer', 'none', '--debug-assertions', ...(values.unbounded ? ['--features', 'unbounded'] : [])]
const options = [
  `-max_total_time=${seconds}`,
  `-artifact_prefix=${failures}/`,
  '-dict=grade.dict',
  '-max_len=4096',
  '-timeout=5',
  '-rss_limit_mb=512',
  '-verbosity=0',
]
try {
  if ((await cargo(['fuzz', 'build', ...build, 'grade'])) !== 0) throw new Error('the fuzz target does not build')
  const running = ['fuzz', 'run', ...build, 'grade', found, 'corpus/grade', '--', ...options]
  // The failure of the unbounded build is what is wanted; its stack would only look like one that is not.
  const failed = (await cargo(running, values.unbounded ? { stdio: 'ignore' } : {})) !== 0
  if (values.unbounded) console.log(`fuzz: the unbounded build ${failed ? 'failed, as it must' : 'passed'}`)
  else console.log(failed ? 'fuzz: failed' : `fuzz: nothing found in ${seconds} s`)
  process.exitCode = failed === values.unbounded ? 0 : 1
} finally {
  rmSync(found, { recursive: true, force: true })
}
