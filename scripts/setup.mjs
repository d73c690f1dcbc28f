// Makes a checkout ready to run: npm packages, the Rust addon, the compiled TypeScript.
// Each part is skipped when it is newer than what it is made from, so a second call returns at once.
//
//     node scripts/setup.mjs [--only packages|addon|typescript]

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { addonFile, buildAddon } from './lib/addon.mjs'
import { at, changedAt, root, run, tool } from './lib/project.mjs'

const OLDEST_NODE = [20, 19]
const OLDEST_RUST = [1, 89]

class SetupError extends Error {}

const say = (text) => process.stderr.write(`setup: ${text}\n`)

/** The first version number in a text, as [major, minor]. */
function versionIn(text) {
  const match = /(\d+)\.(\d+)/.exec(text)
  return match === null ? [0, 0] : [Number(match[1]), Number(match[2])]
}

const isOlder = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])

function requireNode() {
  if (isOlder(versionIn(process.version), OLDEST_NODE)) {
    throw new SetupError(
      `Node ${process.version} is too old: coldstart needs ${OLDEST_NODE.join('.')} or newer (https://nodejs.org)`,
    )
  }
}

function outputOf(command, args) {
  try {
    return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  } catch {
    return undefined
  }
}

function requireRust() {
  const cargo = outputOf('cargo', ['--version'])
  if (cargo === undefined) {
    throw new SetupError(
      'no Rust toolchain (cargo) found: install one from https://rustup.rs, open a new shell, try again',
    )
  }
  if (isOlder(versionIn(cargo), OLDEST_RUST)) {
    throw new SetupError(
      `${cargo} is too old: Rust ${OLDEST_RUST.join('.')} or newer is needed; run: rustup update stable`,
    )
  }
  // The tokenizer's regular expressions are a C library, compiled on the spot.
  if (outputOf('cc', ['--version']) === undefined) {
    throw new SetupError('no C compiler (cc) found: install one, for example: sudo apt-get install build-essential')
  }
}

/** npm packages, installed when the lock's content is not the one that was installed last. */
async function packages() {
  const lock = createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex')
  const stamp = at('node_modules', '.cache', 'coldstart-lock')
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
  if (installed === lock) return false
  const remember = () => {
    mkdirSync(at('node_modules', '.cache'), { recursive: true })
    writeFileSync(stamp, lock)
  }
  if (installed === '' && changedAt(at('node_modules', '.package-lock.json')) >= changedAt(at('package-lock.json'))) {
    remember() // installed by hand just now
    return false
  }
  say('installing npm packages (npm ci)')
  const npm = process.env.npm_execpath
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const code = await run(command, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (code !== 0) throw new SetupError('npm ci failed; its messages are above')
  remember()
  return true
}

/** The Rust addon with its generated index.js and index.d.ts. */
async function addon() {
  const built = addonFile()
  const made = built === undefined ? 0 : statSync(at(built)).mtimeMs
  const isTestFolder = (name) => ['tests', 'benches', 'examples', 'fuzz'].includes(name)
  const sources = ['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'crates'].map((name) =>
    changedAt(at(name), isTestFolder),
  )
  if (made >= Math.max(...sources) && existsSync(at('index.js')) && existsSync(at('index.d.ts'))) return false
  requireRust()
  say('building the Rust addon (about three minutes the first time)')
  const start = new Date()
  if ((await buildAddon()) !== 0) throw new SetupError('the addon did not build; its messages are above')
  // Dated to the start, so that a source saved during the build counts as newer.
  utimesSync(at(addonFile()), start, start)
  return true
}

/** dist/ from src/. */
async function typescript() {
  const stamp = at('dist', '.stamp')
  const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'index.d.ts'].map((name) => changedAt(at(name)))
  if (changedAt(stamp) >= Math.max(...sources)) return false
  say('compiling TypeScript')
  const start = new Date()
  removeOrphans(at('src'), at('dist'))
  const [command, args] = tool('typescript/bin/tsc')
  const code = await run(command, [...args, '-b', 'tsconfig.build.json'])
  if (code !== 0) throw new SetupError('the TypeScript sources have errors; they are listed above')
  // As an installed package has it: `npx coldstart` works in a clone too.
  chmodSync(at('dist', 'cli', 'main.js'), 0o755)
  writeFileSync(stamp, '')
  utimesSync(stamp, start, start)
  return true
}

/** Deletes compiled files under `output` whose source under `source` is gone: no test or import must find them. */
function removeOrphans(source, output) {
  if (!existsSync(output)) return
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue
    const compiled = join(output, entry.name)
    const original = join(source, entry.name.replace(/\.(js|d\.ts)$/, '.ts'))
    if (!existsSync(original)) rmSync(compiled, { recursive: true })
    else if (entry.isDirectory()) removeOrphans(original, compiled)
  }
}

const parts = { packages, addon, typescript }

async function main() {
  const only = process.argv[2] === '--only' ? process.argv[3] : undefined
  if (only !== undefined && !(only in parts)) throw new SetupError(`--only takes ${Object.keys(parts).join(', ')}`)
  requireNode()
  const begin = performance.now()
  let worked = false
  for (const [name, part] of Object.entries(parts)) {
    if (only === undefined || only === name) worked = (await part()) || worked
  }
  if (worked) say(`ready after ${((performance.now() - begin) / 1000).toFixed(0)} s`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
