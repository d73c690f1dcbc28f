import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the compiled command line, and collects what it says. */
export function startCli(words: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const child: ChildProcess = spawn(process.execPath, [main, ...words], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
  })
  const ended = new Promise<CliResult>((done) => child.on('close', (code) => done({ code, ...said })))
  return { child, said, ended }
}

/** Runs the compiled command line to its end. */
export function runCli(words: readonly string[], options?: Parameters<typeof startCli>[1]): Promise<CliResult> {
  return startCli(words, options).ended
}

/** Waits until what a run has said on stdout matches; rejects when it ends without. */
export async function heard(run: ReturnType<typeof startCli>, text: string | RegExp): Promise<void> {
  const stream = run.child.stdout as NodeJS.ReadableStream
  await new Promise<void>((done, fail) => {
    const check = (): void => {
      if (text instanceof RegExp ? text.test(run.said.stdout) : run.said.stdout.includes(text)) done()
    }
    stream.on('data', check)
    run.child.once('close', () => fail(new Error(`ended without ${text}:\n${run.said.stdout}${run.said.stderr}`)))
    check()
  })
}

/** The objects of NDJSON. */
export function eventsOf(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
