/** Runs one command: from words to an exit code. Nothing escapes as an unhandled error. */

import { CommanderError } from 'commander'
import { ColdstartError, exitCodeOf } from '../errors.js'
import { Output } from './output.js'
import { buildProgram } from './program.js'
import { Interrupted, watchSignals } from './signals.js'

/**
 * Runs the command that `words` (without node and script) ask for and resolves to the exit code: 0, that of
 * {@link exitCodeOf}, or 129, 130 and 143 after a signal.
 */
export async function run(words: readonly string[]): Promise<number> {
  const output = new Output({
    json: words.includes('--json'),
    quiet: words.includes('--quiet') || words.includes('-q'),
    rowsOnly: words.find((word) => !word.startsWith('-')) === 'grade',
    stdout: process.stdout,
    stderr: process.stderr,
  })
  // Whoever reads our output has seen enough, as in `coldstart generate … | head`.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  }
  const signals = watchSignals(process)
  try {
    await buildProgram({ output, signal: signals.signal, saveRequested: signals.saveRequested }).parseAsync(words, {
      from: 'user',
    })
    return 0
  } catch (error) {
    return await codeAfter(error, output)
  } finally {
    output.close()
    signals.close()
  }
}

async function codeAfter(error: unknown, output: Output): Promise<number> {
  if (error instanceof Interrupted) {
    output.say(`stopped by ${error.signal}`)
    output.ending({ type: 'interrupted', signal: error.signal })
    return error.exitCode
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    // Commander's words for help that nobody asked for.
    const message = error.message === '(outputHelp)' ? 'a command is needed' : error.message.replace(/^error: /, '')
    output.ending({ type: 'error', code: 'E_USAGE', message })
    return exitCodeOf(new ColdstartError('E_USAGE', error.message))
  }
  const { redactText } = await import('../config/redact.js')
  if (error instanceof ColdstartError) {
    const message = redactText(error.message)
    output.ending({ type: 'error', code: error.code, message, hint: error.hint })
    output.fail(`${error.code}: ${message}`)
    if (error.hint !== undefined) output.fail(`hint: ${error.hint}`)
  } else {
    // Not one of ours: a fault of this program or of the user's reward, where the place matters.
    const message = redactText(error instanceof Error ? (error.stack ?? error.message) : String(error))
    output.ending({ type: 'error', message })
    output.fail(message)
  }
  return exitCodeOf(error)
}
