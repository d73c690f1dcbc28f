// `npm run goldens -- [FOLDER]`: compares the product with reference values and prints the largest deviation of each quantity.
// FOLDER is laid out like test/fixtures/goldens, the default: model folders, rl.json, trl.json, images/, grading/, scoring/. Parts that
// are not there are listed as absent; a miss, or a folder with nothing to compare, is exit code 1.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkImages } from './lib/image-goldens.mjs'
import { at, root } from './lib/project.mjs'
import { checkGrading, checkScoring } from './lib/scoring-goldens.mjs'

const folder = resolve(process.argv[2] ?? at('test', 'fixtures', 'goldens'))
if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
  console.error(`goldens: ${folder} is not a folder`)
  process.exit(2)
}

const engine = spawnSync(
  'cargo',
  ['run', '--release', '--quiet', '-p', 'coldstart-engine', '--bin', 'goldens', '--', folder],
  {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  },
)
const lines = engine.stdout
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line))
const checks = lines.map((line) => ({
  part: [line.model, line.case, line.precision].filter(Boolean).join(' '),
  ...line,
}))

const images = join(folder, 'images')
if (existsSync(images)) {
  for (const { name, compared, worst, limit, ok } of await checkImages(images)) {
    const outcome = ok ? 'pass' : 'fail'
    checks.push({ part: 'images', what: name, measure: `largest of ${compared}`, worst, limit, outcome })
  }
} else {
  checks.push({ part: 'images', outcome: 'absent' })
}

/** Misses that are printed of a part; the counts have all of them. */
const shown = 5

for (const [part, check] of [
  ['grading', checkGrading],
  ['scoring', checkScoring],
]) {
  if (!existsSync(join(folder, part))) {
    checks.push({ part, outcome: 'absent' })
    continue
  }
  for (const result of await check(join(folder, part))) checks.push(countedCheck(part, result))
}

function countedCheck(part, { name, absent, compared, equal, missed, least, ok, misses }) {
  if (absent) return { part, what: name, outcome: 'absent' }
  const limit = least === undefined ? '' : `, at least ${100 * least} %; ${missed} right answers missed`
  const lines = ok ? [] : misses.slice(0, shown).map((miss) => `        ${miss}`)
  const text = [`${part} · ${name} · ${equal} of ${compared} equal${limit}`, ...lines].join('\n')
  return { part, outcome: ok ? 'pass' : 'fail', text }
}

const number = (value) => (value === 0 ? '0' : value.toExponential(1))
/** JSON has no number for a deviation of shapes that differ, or of NaN: it is null there. */
const deviation = (worst, limit) => (Number.isFinite(worst) ? `${number(worst)} of ${number(limit)}` : 'not comparable')
for (const { part, what, measure, worst, limit, outcome, text } of checks) {
  if (text !== undefined) console.log(`${outcome.padEnd(6)}  ${text}`)
  else if (outcome === 'absent') console.log(`absent  ${part}${what ? ` · ${what}` : ''}`)
  else console.log(`${outcome.padEnd(6)}  ${part} · ${what} · ${deviation(worst, limit)} (${measure})`)
}
const count = (outcome) => checks.filter((check) => check.outcome === outcome).length
// 2 with "nothing to compare" is fine beside pictures; anything else that is not a verdict is not.
const crashed = engine.status !== 0 && engine.status !== 1 && !engine.stderr.includes('rl.json or trl.json')
if (crashed || count('pass') === 0) console.error(engine.stderr.trim())
console.log(`${count('pass')} passed, ${count('fail')} failed, ${count('absent')} absent`)
process.exitCode = count('fail') === 0 && count('pass') > 0 && !crashed ? 0 : 1
