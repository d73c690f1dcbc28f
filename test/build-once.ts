import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Brings `dist/` up to date before the tests that start the command line. Type errors are the lint's business. */
export function setup(): void {
  const script = fileURLToPath(new URL('../scripts/setup.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [script, '--only', 'typescript'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('dist/ could not be built, and tests of the command line would run an old one')
}
