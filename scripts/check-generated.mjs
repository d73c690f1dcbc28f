// Generates the types of the trainers' arguments, builds the addon, and fails when a committed file is not what came out:
// index.js, index.d.ts, src/train/args-types.ts. All of them are written, so that what is missing is the commit.

import { buildAddon } from './lib/addon.mjs'
import { argsTypesFile, writeArgsTypes } from './lib/args-types.mjs'
import { run } from './lib/project.mjs'

const files = ['index.js', 'index.d.ts', argsTypesFile]

async function main() {
  await writeArgsTypes()
  if ((await buildAddon()) !== 0) throw new Error('the addon did not build')
  const tracked = await run('git', ['ls-files', '--error-unmatch', ...files], { stdio: 'ignore' })
  if (tracked !== 0) throw new Error(`${files.join(', ')}: not all of them are committed`)
  if ((await run('git', ['--no-pager', 'diff', '--exit-code', 'HEAD', '--', ...files])) !== 0) {
    throw new Error('the generated files differ from the committed ones: commit what the build wrote')
  }
}

main().catch((error) => {
  console.error(`check-generated: ${error.message}`)
  process.exitCode = 1
})
