// GRADE: pairs a second of both profiles, alone and against the Python originals, and the time and memory of hostile pairs.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rounded } from './rounds.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
/** Samples of a step of 512 prompts × 10 completions. */
const BATCH = 5120

export const GRADE = {
  title: 'grading: 5,120 pairs in one batch, each profile; hostile pairs one by one',
  async run({ python, rounds, print }) {
    const { gradeBatch } = await import('../dist/reward/index.js')
    const text = readFileSync(here('../test/fixtures/goldens/grading/pairs.jsonl'), 'utf8')
    const pairs = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { absent, ...peer } = python ? verdictsOf(python, text) : {}
    if (absent) print({ id: 'GRADE', peer: `not measured: ${absent}` })
    for (const profile of ['mathruler', 'lenient']) {
      const batch = Array.from({ length: BATCH }, (_, i) => pairs[i % pairs.length])
      const items = batch.map(({ gold, pred }) => ({ given: pred, gold }))
      const timed = async () => {
        const began = performance.now()
        const verdicts = await gradeBatch(items, { profile })
        return { seconds: (performance.now() - began) / 1000, verdicts }
      }
      await timed()
      const runs = []
      for (let round = 0; round < rounds; round++) runs.push(await timed())
      const seconds = runs.map((run) => run.seconds).sort((a, b) => a - b)[Math.floor(rounds / 2)]
      const theirs = peer[profile]
      print(
        rounded({
          id: 'GRADE',
          profile,
          pairs: BATCH,
          seconds,
          pairsPerSecond: BATCH / seconds,
          ...(theirs
            ? {
                peerPairsPerSecond: pairs.length / theirs.seconds,
                speedup: BATCH / seconds / (pairs.length / theirs.seconds),
                // Not rounded: every pair counts.
                agreement: `${pairs.filter((_, i) => runs[0].verdicts[i].correct === theirs.verdicts[i]).length} of ${pairs.length}`,
              }
            : {}),
        }),
      )
    }
    for (const [profile, sets] of Object.entries(oneByOne())) {
      for (const set of ['crafted', 'random']) {
        const { pairs, p99_us: p99, max_us: max, peak_extra_bytes: bytes } = sets[set]
        print(
          rounded({
            id: 'GRADE',
            profile,
            hostile: set,
            pairs,
            p99Ms: p99 / 1000,
            maxMs: max / 1000,
            extraMiB: bytes / 2 ** 20,
          }),
        )
      }
    }
  },
}

function verdictsOf(python, pairs) {
  const { status, stdout } = spawnSync(python, [here('peer_grading.py')], {
    input: pairs,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error('the peer failed; its messages are above')
  return JSON.parse(stdout)
}

/** Hostile pairs: those made to be expensive, and random pieces of answers. In Rust, where allocations can be counted. */
function oneByOne() {
  const command = ['run', '--release', '-q', '-p', 'coldstart-grader', '--example', 'grading_speed']
  const { status, stdout, stderr } = spawnSync('cargo', command, { cwd: here('..'), encoding: 'utf8' })
  if (status !== 0) throw new Error(`the grading example failed:\n${stderr}`)
  return JSON.parse(stdout)
}
