// `npm run bench -- [IDS] [--peer PYTHON] [--rounds N] [--quick]`: one JSON line a measure.
// Both sides take turns on the same ids, pixels, shapes and number types; ratios are medians over rounds, ours over the peer's.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { benchmarks } from './measures.mjs'
import { Peer } from './peer.mjs'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const everyday = Object.keys(benchmarks).filter((id) => !benchmarks[id].onlyWhenNamed)
const wanted = positionals.length > 0 ? positionals.map((id) => id.toUpperCase()) : everyday
const unknown = wanted.filter((id) => !(id in benchmarks))
if (flags.help || unknown.length > 0) {
  console.error(`usage: npm run bench -- [${Object.keys(benchmarks).join(' ')}] [--peer PYTHON] [--rounds N] [--quick]`)
  for (const [id, { title }] of Object.entries(benchmarks)) console.error(`  ${id.padEnd(7)}${title}`)
  if (unknown.length > 0) console.error(`unknown: ${unknown.join(', ')}`)
  process.exit(flags.help ? 0 : 2)
}

const { engineInfo } = await import('../dist/index.js')
const machine = { cpu: cpus()[0]?.model.trim(), ...engineInfo() }
const print = (line) => console.log(JSON.stringify(line))
print({ id: 'machine', ...machine, node: process.version })

const context = {
  python: flags.peer,
  peer: flags.peer ? new Peer(flags.peer) : undefined,
  rounds: flags.quick ? 2 : Number(flags.rounds),
  quick: flags.quick,
  threads: machine.threads,
  print,
}
try {
  for (const id of wanted) await benchmarks[id].run(context)
} finally {
  context.peer?.close()
}
