import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Brings `dist/` up to date before the tests that start the command line. Type errors are the lint's business. */
export function setup(): void {
  const script = fileURLToPath(new URL('../scripts/setup.mjs', import.meta.url))
  spawnSync(process.execPath, [script, '--only', 'typescript'], { stdio: 'inherit' })
}
