// Twelve ways in which a reward can harm its run, each only for completions that begin with "bad".
import { spawn } from 'node:child_process'
import { writeFileSync, writeSync } from 'node:fs'

const hostile = (harm) => (batch) =>
  batch.completions[0].startsWith('bad') ? harm(batch) : batch.completions.map(() => 1)

export const throws = hostile(() => {
  throw new Error('on purpose')
})
export const rejects = hostile(async () => {
  throw new Error('on purpose')
})
export const hangs = hostile(() => new Promise((resolve) => setTimeout(resolve, 1e9)))
export const spins = hostile(({ completions }) => {
  // Says who is spinning, for tests that look whether it still does.
  const [, file] = completions[0].split(' ')
  if (file) writeFileSync(file, String(process.pid))
  for (;;);
})
export const junk = hostile(() => [Number.NaN, 'high'])
export const wrongLength = hostile(() => [1])
export const exits = hostile(() => process.exit(0))
export const dies = hostile(() => process.kill(process.pid, 'SIGSEGV'))
export const prints = hostile(async () => {
  for (;;) await new Promise((resolve) => process.stdout.write('x'.repeat(1e6), resolve))
})
export const leaks = hostile(() => {
  const kept = []
  for (;;) kept.push({ text: Array(1000).fill(kept.length) })
})
export const buffers = hostile(async () => {
  const kept = []
  for (;;) kept.push(Buffer.alloc(1e7, 1), await null)
})
export const forges = hostile(() => {
  for (;;) writeSync(3, '{"judgement":{"values":[1,1],"failed":[],"messages":[]}}\n')
})

/** Harmless ones that tell what a reward process sees. */
export const pid = ({ completions }) => completions.map(() => process.pid)
export const secrets = ({ completions }) => completions.map((name) => (process.env[name] === undefined ? 0 : 1))
export const images = ({ rows }) => rows.map(({ messages }) => messages[0].content[0].image.length)
export const polite = ({ completions, signal }) =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(completions.map((_, i) => (i === 0 ? 1 : null)))),
  )
export const grandchild = hostile(({ completions }) => {
  const [, file] = completions[0].split(' ')
  writeFileSync(file, String(spawn('sleep', ['1000'], { stdio: 'ignore' }).pid))
  for (;;);
})
