import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../support/tiny.js'
import { eventsOf, heard, runCli, startCli } from './run-cli.js'

let folder: string
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('study --quick trains every arm, prints their table and where the report is', async () => {
  const { code, stdout, stderr } = await runCli(['study', '--quick', '--output-dir', 'study'], { cwd: folder })
  expect(stderr).toMatch(/stage 1\/\d+: training base/)
  expect(code).toBe(0)
  for (const arm of ['base', 'base + RL', 'SFT', 'SFT + RL']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${arm.replace('+', '\\+')} +\\d+\\.\\d %`, 'm'))
  }
  const path = /^report: (.+)$/m.exec(stdout)?.[1]
  expect(readFileSync(join(folder, path ?? 'none'), 'utf8')).toMatch(/<!doctype html>/i)
}, 180_000)

it('study obeys a signal', async () => {
  const run = startCli(['study', '--json', '--quiet', '--output-dir', 'stopped'], { cwd: folder })
  await heard(run, '"type":"step"')
  run.child.kill('SIGINT')
  const { code, stdout } = await run.ended
  expect(code).toBe(130)
  expect(eventsOf(stdout).at(-1)).toEqual({ type: 'interrupted', signal: 'SIGINT' })
}, 180_000)
