// What the scripts share: where the project is, how to run a program, and when files were last changed.
// Plain Node without dependencies, because setup.mjs runs before anything is installed.

import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the project. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** A path inside the project. */
export const at = (...parts) => join(root, ...parts)

/** Runs a program in the project with its output on ours; resolves to the exit code (128 for a signal). */
export function run(command, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    child.on('error', fail)
    child.on('close', (code) => done(code ?? 128))
  })
}

/**
 * Runs a program with both of its streams in one pipe, so that lines arrive in the order they were written,
 * and calls `onLine` for each; resolves to the exit code.
 */
export function runLines(command, args, onLine, options = {}) {
  return new Promise((done, fail) => {
    const words = ['-c', 'exec "$0" "$@" 2>&1', command, ...args]
    const child = spawn('sh', words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], ...options })
    let rest = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) onLine(line)
    })
    child.on('error', fail)
    child.on('close', (code) => {
      if (rest !== '') onLine(rest)
      done(code ?? 128)
    })
  })
}

/** Command and leading arguments that start a package's program from node_modules. */
export function tool(packagePath) {
  return [process.execPath, [at('node_modules', packagePath)]]
}

/**
 * Time of the last change under `path` in ms, directories included (a deletion changes its directory); 0 if missing.
 *
 * @param {string} path
 * @param {(name: string) => boolean} skip names to leave out
 * @returns {number}
 */
export function changedAt(path, skip = () => false) {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 0
  let latest = stats.mtimeMs
  if (stats.isDirectory()) {
    for (const name of readdirSync(path)) {
      if (!skip(name)) latest = Math.max(latest, changedAt(join(path, name), skip))
    }
  }
  return latest
}
