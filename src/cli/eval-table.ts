/** Reports and comparisons of benchmarks as text. */

import { isShare } from '../eval/breakdown.js'
import type { Comparison } from '../eval/compare.js'
import type { EvaluationReport } from '../eval/run/types.js'
import type { Cell } from '../eval/types.js'
import { compact, duration, percent, short } from './format.js'

/** A breakdown with more keys than this is left to the report file. */
const mostKeys = 24

/** The table of a run: what was measured and how, the score with its interval, what it rests on, the breakdowns. */
export function describeReport(report: EvaluationReport, folder: string): string {
  const { dataset, score, metric, ci95, n, correct } = report
  const counted = isShare(score, correct, n) ? `: ${short(correct)} of ${n} right` : ''
  const facts = [
    `${report.protocol.benchmark} ${dataset.split} · ${protocolOf(report)}`,
    answersOf(report),
    '',
    `${metric} ${percent(score)} (95 % interval ${percent(ci95[0])} to ${percent(ci95[1])})${counted}`,
    countsOf(report),
    ...warningsOf(report),
  ]
  const tables = Object.entries(report.breakdowns).map(([name, cells]) => breakdown(name, cells))
  return `${[...facts, ...printedOf(report), ...tables].join('\n')}\n\npage: ${folder}/report.html\nnumbers: ${folder}/report.json\n`
}

/** Further official numbers, as the benchmark prints them: We-Math's rates, strict and loose. */
function printedOf({ extra }: EvaluationReport): string[] {
  const { printed } = (extra?.fourDimensional ?? {}) as { printed?: Record<string, unknown> }
  if (printed === undefined) return []
  return ['', ...Object.entries(printed).map(([name, value]) => `${name}: ${wordsOf(value)}`)]
}

function wordsOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? '-')
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${wordsOf(inner)}`)
    .join(', ')
}

function protocolOf({ protocol: { preset, version, options }, judge }: EvaluationReport): string {
  const switches = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  const judged = judge === null ? 'no judge' : `judge ${judge}`
  return [`preset ${preset}, version ${version}`, judged, ...switches].join(' · ')
}

function answersOf({ answers, sampling, seconds, tokens }: EvaluationReport): string {
  if (sampling === null) return `responses ${answers.path}`
  const how =
    sampling.temperature === 0 ? 'greedy' : `temperature ${short(sampling.temperature)}, seed ${sampling.seed}`
  const speed =
    seconds.generating > 0
      ? ` · ${duration(seconds.generating)}, ${compact((tokens.prompt + tokens.response) / seconds.generating)} tokens/s`
      : ''
  return `model ${answers.path} · ${how}, at most ${sampling.maxNewTokens} tokens${speed}`
}

function countsOf(report: EvaluationReport): string {
  const { rows, unjudged, noAnswer, missing, truncated, answers } = report
  // A file of responses need not say which of them were cut.
  const cut = answers.kind === 'model' || truncated > 0 ? [`${truncated} cut at the length limit`] : []
  const counts = [`${unjudged} unjudged`, `${noAnswer} without an answer`, `${missing} without a response`, ...cut]
  return `${rows} rows: ${counts.join(', ')}`
}

function warningsOf({ subset, incomplete, dataset, judge, withoutGold }: EvaluationReport): string[] {
  return [
    ...(subset ? [`${subsetOf(dataset)}; not a score of the benchmark`] : []),
    ...(incomplete ? ['incomplete: more than 1 % of the rows are unjudged and count as wrong'] : []),
    ...(dataset.withoutImage === undefined ? [] : [`${dataset.withoutImage} rows have no image in the data`]),
    ...(withoutGold > 0 ? [`${withoutGold} rows have no published answer and count as wrong`] : []),
    ...(judge === 'rules' ? ['judged by rules: not comparable with scores of a judge model'] : []),
  ]
}

/** How the rows differ from those of the published split. */
function subsetOf({ answered, published }: Pick<EvaluationReport['dataset'], 'answered' | 'published'>): string {
  return answered < published
    ? `subset: ${answered} of ${published} rows`
    : `other data: ${answered} rows, where the published split has ${published}`
}

function breakdown(name: string, cells: Readonly<Record<string, Cell>>): string {
  const entries = Object.entries(cells)
  if (entries.length > mostKeys) return `\n${name}: ${entries.length} keys, in report.json`
  const width = Math.max(...entries.map(([key]) => key.length))
  const lines = entries.map(([key, { n, correct, accuracy, text }]) => {
    const share = (text ?? percent(accuracy)).padStart(8)
    // Some official scripts print the counts themselves, and some scores are no share of them.
    const counts = isShare(accuracy, correct, n) ? `${short(correct)} of ${n}` : `over ${n}`
    return `  ${key.padEnd(width)}  ${share}${text?.includes('/') ? '' : `  ${counts}`}`
  })
  return ['', name, ...lines].join('\n')
}

/** Two runs side by side. */
export function describeComparison(comparison: Comparison): string {
  const {
    protocol,
    judge,
    dataset,
    subset,
    leftOut,
    metric,
    a,
    b,
    n,
    both,
    onlyA,
    onlyB,
    neither,
    difference,
    ci95,
    pValue,
  } = comparison
  const side = (name: string, { answers, folder, score, ci95: [low, high], unjudged, incomplete }: Comparison['a']) =>
    `${name}  ${answers} (${folder}): ${metric} ${percent(score)} (${percent(low)} to ${percent(high)})${unjudged > 0 ? `, ${unjudged} unjudged` : ''}${incomplete ? ', incomplete' : ''}`
  const lines = [
    `${protocol.benchmark} ${dataset.split} · preset ${protocol.preset}, version ${protocol.version} · ${judge === null ? 'no judge' : `judge ${judge}`}`,
    ...(subset ? [subsetOf(dataset)] : []),
    side('A', a),
    side('B', b),
    ...(leftOut > 0 ? [`left out for want of a verdict in A or in B: ${leftOut}`] : []),
    '',
    `B − A ${signed(difference)} points of accuracy over ${n} rows (95 % interval ${signed(ci95[0])} to ${signed(ci95[1])})`,
    `right in both ${both}, only in A ${onlyA}, only in B ${onlyB}, in neither ${neither}; McNemar p = ${pValue < 1e-4 ? pValue.toExponential(1) : short(pValue)}`,
  ]
  const tables = Object.entries(comparison.breakdowns).flatMap(([name, cells]) => {
    const entries = Object.entries(cells)
    if (entries.length === 0 || entries.length > mostKeys) return []
    const width = Math.max(...entries.map(([key]) => key.length))
    const rows = entries.map(
      ([key, cell]) => `  ${key.padEnd(width)}  only A ${cell.onlyA}, only B ${cell.onlyB} of ${cell.n}`,
    )
    return ['', name, ...rows]
  })
  return `${[...lines, ...tables].join('\n')}\n`
}

/** A difference of shares in percentage points, its sign always there. */
function signed(share: number): string {
  const points = (100 * share).toFixed(1)
  return share >= 0 ? `+${points}` : points.replace('-', '−')
}
