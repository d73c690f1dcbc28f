// Starts an example as a user would: in a process of its own, against the compiled package.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const path = (example: string) => fileURLToPath(new URL(`../../examples/${example}`, import.meta.url))

/** A started example; its standard error goes to the test's. */
export function start(example: string, args: string[] = []): ChildProcess {
  return spawn(process.execPath, [path(example), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Runs an example to its end. */
export async function run(example: string, args: string[] = []): Promise<{ code: number | null; lines: string[] }> {
  const child = start(example, args)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, lines: text.trim().split('\n') }
}
