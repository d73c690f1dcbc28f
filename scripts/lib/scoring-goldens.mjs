// Compares extraction, scores and reports of the benchmarks, and the verdicts of the grader, with reference cases.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

const product = (path) => import(`../../dist/${path}`)

/**
 * Checks the files of a folder `scoring`, each `{ about, cases }` with an expectation under `expect`, and `prompts.json`.
 * One line a file: `{ name, compared, equal, ok, misses }`, or `{ name, absent: true }`. A file of another name, a case with
 * a key that is not known and a file without cases are misses.
 */
export async function checkScoring(folder) {
  const checks = await scoringChecks()
  const names = [...new Set([...Object.keys(checks), ...readdirSync(folder)])].sort()
  return names.map((name) => {
    if (!existsSync(join(folder, name))) return { name, absent: true }
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check === undefined)
      return { name, compared: 0, equal: 0, ok: false, misses: ['nothing is known of this file'] }
    const cases = casesOf(join(folder, name), check)
    const misses = cases.flatMap((item, index) => missOf(check, item, index))
    const equal = cases.length - misses.length
    if (cases.length === 0) misses.push('no cases')
    return { name, compared: cases.length, equal, ok: misses.length === 0, misses }
  })
}

/** The cases of a file; none for a file that is damaged. */
function casesOf(file, { read = (content) => content }) {
  try {
    const { cases } = read(JSON.parse(readFileSync(file, 'utf8')))
    return Array.isArray(cases) ? cases : []
  } catch {
    return []
  }
}

function missOf(check, item, index) {
  let got
  try {
    const unknown = unknownKeys(item, check.keys)
    if (unknown.length > 0) return [`case ${index}: unknown key ${unknown.join(', ')}`]
    got = check.run(item)
  } catch (error) {
    return [`case ${index}: ${error.message}`]
  }
  if (isDeepStrictEqual(got, item.expect)) return []
  const { expect, ...input } = item
  const shown = JSON.stringify(input)
  return [`case ${index}: ${shown.slice(0, 300)}: expected ${JSON.stringify(expect)}, got ${JSON.stringify(got)}`]
}

/** Keys beside `expect` that `keys` does not name; an array's elements are looked at under `name[]`. */
function unknownKeys(item, keys) {
  return Object.keys(item).flatMap((key) => {
    if (key === 'expect') return []
    if (!keys.includes(key)) return [key]
    const inner = keys.filter((name) => name.startsWith(`${key}[].`)).map((name) => name.slice(key.length + 3))
    if (inner.length === 0) return []
    return item[key].flatMap((element) => Object.keys(element).filter((name) => !inner.includes(name)))
  })
}

async function scoringChecks() {
  const { extractBoxed } = await product('reward/boxed.js')
  const { judgePrompt } = await product('eval/judge-prompts.js')
  const { matchOption } = await product('eval/option-matching.js')
  const numbers = await product('eval/python-numbers.js')
  const { judgeSpan, yesNo, zeroOne } = await product('eval/benchmarks/judging.js')
  const { benchmarks } = await product('eval/benchmarks/index.js')
  const mathvista = await product('eval/benchmarks/mathvista/extraction.js')
  const { extractAnswer } = await product('eval/benchmarks/mathvision/extraction.js')
  const { isRight } = await product('eval/benchmarks/mathvision/equality.js')
  const { extractLetter } = await product('eval/benchmarks/wemath/extraction.js')
  const { fourDimensional, printedMetrics } = await product('eval/benchmarks/wemath/metrics.js')

  const summarize = (benchmark, rows) => benchmarks[benchmark].protocols.official.summarize(rows)
  const metrics = ({ composites }) => printedMetrics(fourDimensional(composites))
  const composites = ['composites', 'composites[].steps', 'composites[].multi']

  return {
    'boxed.json': {
      keys: ['response'],
      run: ({ response }) => ({ boxed: extractBoxed(response), judge_span: judgeSpan(response) }),
    },
    'breakdown.json': {
      keys: ['rows', 'rows[].correct', 'rows[].task', 'rows[].grade', 'rows[].skills'],
      run: ({ rows }) => {
        const summary = summarize(
          'mathvista',
          rows.map(({ correct, ...groups }) => scoredRow(correct, groups)),
        )
        const printed = ({ correct, n, text }) => ({ correct, total: n, percent: text })
        const average = { correct: summary.correct, n: summary.n, text: summary.extra.printed }
        return { average: printed(average), ...mapValues(summary.breakdowns, (cells) => mapValues(cells, printed)) }
      },
    },
    'judge.json': {
      keys: ['reply'],
      run: ({ reply }) => ({ yes_no: yesNo(reply), zero_one: zeroOne(reply) }),
    },
    'mathverse.json': {
      keys: ['rows', 'rows[].version', 'rows[].subject', 'rows[].correct'],
      run: ({ rows }) => {
        const { breakdowns, extra } = summarize(
          'mathverse',
          rows.map(({ correct, ...groups }) => scoredRow(correct, groups)),
        )
        const texts = (cells) => mapValues(cells, ({ text }) => text)
        return { overall: extra.printed, versions: texts(breakdowns.version), subjects: texts(breakdowns.subject) }
      },
    },
    'mathvision_equality.json': {
      keys: ['answer', 'options', 'model_answer'],
      run: ({ answer, options, model_answer }) => isRight(answer, options, model_answer),
    },
    'mathvision_extraction.json': {
      keys: ['response'],
      run: ({ response }) => extractAnswer(response),
    },
    'mathvision_report.json': {
      keys: ['rows', 'rows[].level', 'rows[].subject', 'rows[].correct'],
      run: ({ rows }) =>
        summarize(
          'mathvision',
          rows.map(({ correct, level, subject }) => scoredRow(correct, { level: String(level), subject })),
        ).extra.table,
    },
    'mathvista.json': {
      keys: ['question_type', 'answer_type', 'precision', 'choices', 'answer', 'extraction'],
      run: ({ answer, extraction, ...form }) => {
        const prediction = mathvista.normalise(extraction, form, {})
        const legacy = mathvista.normalise(extraction, form, { legacyInt: true })
        return {
          prediction,
          prediction_legacy_int: legacy,
          prediction_ignore_empty: mathvista.normalise(extraction, form, { ignoreEmpty: true }),
          correct: prediction === answer,
          correct_legacy_int: legacy === answer,
        }
      },
    },
    'mathvista_shortcuts.json': {
      keys: ['question_type', 'answer_type', 'choices', 'response'],
      run: ({ response, ...form }) => ({
        extraction: mathvista.shortcut(response, form, false),
        extraction_quick: mathvista.shortcut(response, form, true),
      }),
    },
    'option_inference.json': {
      keys: ['prediction', 'choices'],
      run: ({ prediction, choices }) => matchOption(prediction, choices),
    },
    'prompts.json': {
      // A template is what comes out when every field is its own placeholder.
      read: ({ prompts }) => ({ cases: prompts.map(({ id, fields, ...expect }) => ({ id, fields, expect })) }),
      keys: ['id', 'fields'],
      run: ({ id, fields, expect }) => {
        const template = judgePrompt(id, Object.fromEntries(fields.map((field) => [field, `<<<${field}>>>`])))
        return { ...expect, template, sha256: createHash('sha256').update(template).digest('hex') }
      },
    },
    'python_numbers.json': { keys: ['text', 'digits'], run: (item) => pythonNumbers(item, numbers) },
    'wemath_accuracy.json': {
      keys: ['domain_of_leaf', 'sub_steps', 'sub_steps[].leaf', 'sub_steps[].correct', 'multi_2', 'multi_3'],
      run: ({ domain_of_leaf, sub_steps, multi_2, multi_3 }) => {
        const stepRow = ({ leaf, correct }, index) =>
          scoredRow(
            correct,
            { domain: domain_of_leaf[leaf] },
            { ID: `${index}`, key: '2steps_1', 'knowledge concept': leaf },
          )
        const compositeRow = (key) => (correct, index) => scoredRow(correct, {}, { ID: `${key}${index}`, key })
        const { breakdowns } = summarize('wemath', [
          ...sub_steps.map(stepRow),
          ...multi_2.map(compositeRow('2steps_multi')),
          ...multi_3.map(compositeRow('3steps_multi')),
        ])
        return {
          ...mapValues(breakdowns.accuracy, ({ text }) => text),
          domains: mapValues(breakdowns.domain, ({ text }) => text),
        }
      },
    },
    'wemath_extraction.json': {
      keys: ['response'],
      run: ({ response }) => extractLetter(response),
    },
    'wemath_metrics.json': { keys: composites, run: metrics },
    'wemath_missing.json': { keys: composites, run: metrics },
  }
}

function pythonNumbers({ text, digits }, { pythonFloat, pythonInt, pythonRepr, pythonRound, pythonTrunc }) {
  const float = pythonFloat(text)
  const shown = (value) => (value === null ? null : String(value))
  return {
    float: float === null ? null : pythonRepr(float),
    rounded: float === null ? null : pythonRepr(pythonRound(float, digits)),
    int: shown(pythonInt(text)),
    int_of_float: float === null ? null : shown(pythonTrunc(float)),
  }
}

function scoredRow(correct, groups, fields = {}) {
  return {
    row: { id: '', source: '', images: [], gold: '', groups, fields },
    scored: { extraction: '', correct, path: '', calls: 0 },
    response: '',
  }
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

/** Keys of a line of a grading file. */
const gradingKeys = ['gold', 'pred', 'mathruler', 'math_verify', 'kind']

/**
 * Least share of equal verdicts. The lenient profile departs from math-verify on purpose in some classes, which the
 * generated pairs have many of; mathruler may miss no pair that the original accepts.
 */
const gradingLimits = [
  { verdict: 'mathruler', profile: 'mathruler', least: () => 0.999, mayMiss: false },
  {
    verdict: 'math_verify',
    profile: 'lenient',
    least: (name) => (name.startsWith('generated') ? 0.95 : 0.995),
    mayMiss: true,
  },
]

/**
 * Grades every pair of the `.jsonl` files of a folder `grading` and compares both verdicts. One line a file and profile:
 * `{ name, compared, equal, missed, least, ok, misses }`, where `missed` counts the right answers that we reject.
 */
export async function checkGrading(folder) {
  const { gradeBatch } = await product('reward/grade.js')
  const results = []
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.jsonl')) {
      results.push({ name, compared: 0, equal: 0, missed: 0, ok: false, misses: ['expected a .jsonl file'] })
      continue
    }
    const text = readFileSync(join(folder, name), 'utf8')
    const pairs = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    for (const { verdict, profile, least, mayMiss } of gradingLimits) {
      const items = pairs.map(({ pred, gold }) => ({ given: pred, gold }))
      const verdicts = await gradeBatch(items, { profile })
      // A pair without a verdict after ten seconds counts as unequal.
      const wrong = pairs.flatMap((pair, index) => {
        const unknown = Object.keys(pair).filter((key) => !gradingKeys.includes(key))
        const expected = pair[verdict] === true
        if (unknown.length === 0 && verdicts[index].correct === expected) return []
        return [{ missed: expected && !verdicts[index].correct, unknown, pair }]
      })
      const missed = wrong.filter((miss) => miss.missed).length
      const unknown = wrong.filter((miss) => miss.unknown.length > 0).length
      const equal = pairs.length - wrong.length
      const isEnough = pairs.length > 0 && equal >= least(name) * pairs.length
      const misses = wrong.map(({ pair, unknown }) => JSON.stringify(unknown.length > 0 ? { unknown, pair } : pair))
      const ok = isEnough && (mayMiss || missed === 0) && unknown === 0
      const counts = { compared: pairs.length, equal, missed, least: least(name) }
      results.push({ name: `${name} ${profile}`, ...counts, ok, misses })
    }
  }
  return results
}
