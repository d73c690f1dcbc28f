// Everything that judges the code without running it. All checks run; the last line counts them.
//
//     node scripts/lint.mjs [name …]      (names: see below)

import { root, run, tool } from './lib/project.mjs'

const node = (path, ...args) => {
  const [command, first] = tool(path)
  return [command, [...first, ...args]]
}

const colours = process.stdout.isTTY ? [] : ['--colors=off']

const checks = {
  fmt: ['cargo', ['fmt', '--all', '--check']],
  clippy: ['cargo', ['clippy', '--release', '--workspace', '--all-targets', '--', '-D', 'warnings']],
  biome: node('@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '--max-diagnostics=50', ...colours),
  tsc: node('typescript/bin/tsc', '--project', 'tsconfig.json'),
  typedoc: node('typedoc/bin/typedoc', '--emit', 'none'),
  knip: node('knip/bin/knip.js'),
  publint: node('publint/src/cli.js', '--strict', '--pack', 'false'),
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in checks))
if (unknown.length > 0)
  throw new Error(`unknown check ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`)

const failed = []
for (const [name, [command, args]] of Object.entries(checks)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.log(`lint: ${name}`)
  if ((await run(command, args, { cwd: root })) !== 0) failed.push(name)
}
const total = names.length > 0 ? names.length : Object.keys(checks).length
if (failed.length > 0) console.log(`lint failed: ${failed.join(', ')}`)
console.log(`lint: ${total - failed.length} ok, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
