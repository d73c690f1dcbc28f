// Builds the addon and fails when the committed index.js and index.d.ts are not what the build generates.

import { buildAddon } from './lib/addon.mjs'
import { run } from './lib/project.mjs'

const files = ['index.js', 'index.d.ts']

async function main() {
  if ((await buildAddon()) !== 0) throw new Error('the addon did not build')
  const tracked = await run('git', ['ls-files', '--error-unmatch', ...files], { stdio: 'ignore' })
  if (tracked !== 0) throw new Error(`${files.join(' and ')} are not committed`)
  if ((await run('git', ['--no-pager', 'diff', '--exit-code', 'HEAD', '--', ...files])) !== 0) {
    throw new Error('the generated files differ from the committed ones: commit what the build wrote')
  }
}

main().catch((error) => {
  console.error(`check-generated: ${error.message}`)
  process.exitCode = 1
})
