// The report of an evaluation as one HTML page: score with interval, breakdowns, and every row to choose from.
import { isShare } from '../eval/breakdown.js'
import type { EvaluationReport } from '../eval/run/types.js'
import { accuracyBar } from './accuracy-bar.js'
import { breakdownTables } from './eval-breakdowns.js'
import { extraNumbers } from './eval-extra.js'
import { FILTER_SCRIPT, filterControls, type GroupChoice } from './eval-filter.js'
import { type EvalRow, rowCard, type Verdict, verdictsOf } from './eval-row.js'
import { EVAL_STYLE } from './eval-style.js'
import { duration, integer, percent } from './format.js'
import { type Html, type HtmlValue, html } from './html.js'
import { facts, page } from './page.js'

/** What the page is made of. */
export interface EvalPage {
  /** What the model is called. */
  name: string
  report: EvaluationReport
  /** In the order of the data. */
  rows: readonly EvalRow[]
  /** Why images are not shown, where any are not. */
  imageNote?: string
}

/** Names of benchmarks as their authors write them. */
const TITLES: Record<string, string> = {
  mathvista: 'MathVista',
  mathverse: 'MathVerse',
  mathvision: 'MATH-Vision',
  wemath: 'We-Math',
  geometry3k: 'Geometry3K',
}

const VERDICTS: readonly { verdict: Verdict; name: string }[] = [
  { verdict: 'right', name: 'right' },
  { verdict: 'wrong', name: 'wrong' },
  { verdict: 'unjudged', name: 'unjudged' },
  { verdict: 'no-answer', name: 'no answer' },
  { verdict: 'truncated', name: 'truncated' },
  { verdict: 'missing', name: 'missing' },
]

/** Characters of one response, and of all responses together. */
const RESPONSE = 4000
const ALL_RESPONSES = 8_000_000

/** The page for an evaluation; pure, so the same evaluation gives the same bytes. */
export function renderEvalReport(evaluation: EvalPage): string {
  const { report } = evaluation
  const title = `${TITLES[report.protocol.benchmark] ?? report.protocol.benchmark}: ${evaluation.name}`
  const body = html`<header>${headline(evaluation, title)}</header>
${Object.keys(report.breakdowns).length > 0 && html`<section><h2>Breakdowns</h2>${breakdownTables(report.breakdowns)}</section>`}
${report.extra !== undefined && html`<section><h2>Further numbers</h2>${extraNumbers(report.extra)}</section>`}
<section><h2>Rows</h2>${rowList(evaluation)}</section>
<section><h2>How it was measured</h2>${about(report)}</section>`
  return page(title, body, { style: EVAL_STYLE, script: FILTER_SCRIPT })
}

function headline({ report, rows }: EvalPage, title: string): Html {
  const { score, ci95, n, correct, metric } = report
  const { preset, version } = report.protocol
  return html`<h1>${title}</h1>
<p class="protocol">Protocol <b>${preset}</b>, version ${version} · split <b>${report.dataset.split}</b> · ${judgeOf(report)}</p>
${warnings(report)}
<div class="score"><strong>${percent(score)}</strong><div>${metric}, 95 % interval ${percent(ci95[0])} – ${percent(ci95[1])}${
    isShare(score, correct, n) && html`<br><span class="note">${integer(correct)} of ${integer(n)} right</span>`
  }</div><span></span><div>${accuracyBar({ accuracy: score, ci95, perSeed: [] }, 3)}</div></div>
${tally(rows)}`
}

function judgeOf({ judge }: EvaluationReport): Html {
  if (judge === null) return html`no judge needed`
  if (judge === 'none') return html`<b>no judge</b>`
  return judge === 'rules' ? html`judged by <b>rules</b>` : html`judge <b>${judge}</b>`
}

function warnings(report: EvaluationReport): HtmlValue {
  const { dataset, rows, unjudged } = report
  const name = TITLES[report.protocol.benchmark] ?? report.protocol.benchmark
  return [
    report.subset &&
      html`<p class="warning">${
        dataset.answered < dataset.published
          ? html`<b>A subset:</b> ${integer(dataset.answered)} of the ${integer(dataset.published)} rows of this split.`
          : html`<b>Other data:</b> ${integer(dataset.answered)} rows, where this split has ${integer(dataset.published)}.`
      } This is not a score of ${name}.</p>`,
    report.incomplete
      ? html`<p class="warning"><b>Incomplete:</b> ${integer(unjudged)} of ${integer(rows)} rows (${percent(unjudged / rows)}) have no verdict and count as wrong.</p>`
      : unjudged > 0 &&
        html`<p class="note">${integer(unjudged)} of ${integer(rows)} rows have no verdict and count as wrong.</p>`,
    report.missing > 0 &&
      html`<p class="warning"><b>Missing:</b> ${integer(report.missing)} of ${integer(rows)} rows have no response and count as wrong.</p>`,
    dataset.withoutImage !== undefined &&
      html`<p class="warning"><b>Without an image:</b> ${integer(dataset.withoutImage)} of ${integer(rows)} rows have none in the data.</p>`,
    report.withoutGold > 0 &&
      html`<p class="note">${integer(report.withoutGold)} of ${integer(rows)} rows have no published answer and count as wrong.</p>`,
    report.judge === 'rules' &&
      html`<p class="note">Rules of this package settled what the protocol leaves to a judge; they usually score lower than a judge does.</p>`,
  ]
}

/** The three verdicts, which share the rows among them, and then what else is to be known. */
function tally(rows: readonly EvalRow[]): Html {
  const counts = countVerdicts(rows)
  const words = {
    'no-answer': 'without an answer',
    truncated: 'cut at the limit',
    missing: 'without a response',
  } as const
  const among = Object.entries(words).flatMap(([verdict, text]) => {
    const count = counts.get(verdict as Verdict)
    return count === undefined ? [] : [`${integer(count)} ${text}`]
  })
  return html`<p class="tally note">${VERDICTS.slice(0, 3).map(({ verdict, name }) => html`<span><i class="mark ${verdict}"></i>${name} ${integer(counts.get(verdict) ?? 0)}</span>`)}${
    among.length > 0 && html`<span>among them ${among.join(', ')}</span>`
  }</p>`
}

function countVerdicts(rows: readonly EvalRow[]): Map<Verdict, number> {
  const counts = new Map<Verdict, number>()
  for (const row of rows) for (const verdict of verdictsOf(row)) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  return counts
}

function rowList({ rows, imageNote }: EvalPage): Html {
  const groups = new Map<string, GroupChoice>()
  const numbersOf = (row: EvalRow): number[] =>
    Object.entries(row.groups).flatMap(([name, values]) =>
      [...new Set([values].flat())].map((value) => {
        const key = JSON.stringify([name, value])
        const group = groups.get(key) ?? { number: groups.size + 1, name, value, rows: 0 }
        group.rows += 1
        groups.set(key, group)
        return group.number
      }),
    )
  const numbers = rows.map(numbersOf)
  const counts = countVerdicts(rows)
  const characters = Math.min(RESPONSE, Math.floor(ALL_RESPONSES / Math.max(1, rows.length)))
  const isCut = rows.some(({ response }) => (response?.length ?? 0) > characters)
  const present = VERDICTS.flatMap(({ verdict, name }) => {
    const count = counts.get(verdict)
    return count === undefined ? [] : [{ verdict, name, rows: count }]
  })
  return html`${isCut && html`<p class="note">Responses of more than ${integer(characters)} characters are shown without their middle; rows.jsonl beside this page has them whole.</p>`}
${imageNote && html`<p class="note">${imageNote}</p>`}
${filterControls(present, sorted([...groups.values()]), rows.length)}
<div class="${rows.some(({ thumbnail }) => thumbnail !== undefined) ? 'rows' : 'rows bare'}">${rows.map((row, index) => rowCard(row, numbers[index] ?? [], characters))}</div>`
}

/** By value within each breakdown, numbers as numbers. */
function sorted(groups: GroupChoice[]): GroupChoice[] {
  return groups.sort((a, b) => a.value.localeCompare(b.value, 'en', { numeric: true }))
}

function about(report: EvaluationReport): Html {
  const { answers, dataset, sampling, pixels, protocol, seconds, tokens } = report
  return html`${facts([
    ['protocol', `${protocol.preset} for ${protocol.benchmark}, version ${protocol.version}`],
    ['options', Object.keys(protocol.options).length > 0 && JSON.stringify(protocol.options)],
    ['judge', report.judge === null ? 'none needed' : report.judge],
    ['questions to the judge', report.judgeCalls > 0 && integer(report.judgeCalls)],
    ['decided by', listOf(report.paths)],
    [answers.kind === 'model' ? 'model' : 'responses', answers.path],
    ['fingerprint', answers.fingerprint],
    ['numbers', answers.kind === 'model' && answers.dtype],
    ['sampling', sampling && samplingOf(sampling)],
    ['image pixels', pixels && `${integer(pixels.minPixels)} … ${integer(pixels.maxPixels)}`],
    [
      'data',
      `${dataset.path}, split ${dataset.split}, ${integer(dataset.answered)} of ${integer(dataset.published)} rows`,
    ],
    ['revision', dataset.revision],
    ['data fingerprint', dataset.fingerprint],
    ['generating', seconds.generating > 0 && duration(seconds.generating)],
    ['scoring', duration(seconds.scoring)],
    ['tokens', tokens.response > 0 && `${integer(tokens.prompt)} of prompts, ${integer(tokens.response)} of responses`],
    ['coldstart', report.coldstart],
  ])}`
}

/** `temperature 0.2, top-p 0.9, at most 2,048 tokens, seed 0`; what has no effect is left out. */
function samplingOf(sampling: NonNullable<EvaluationReport['sampling']>): string {
  const { temperature, topP = 1, topK = 0, repetitionPenalty = 1, maxNewTokens, seed } = sampling
  return [
    temperature === 0 ? 'greedy' : `temperature ${temperature}`,
    topP !== 1 && `top-p ${topP}`,
    topK !== 0 && `top-k ${topK}`,
    repetitionPenalty !== 1 && `repetition penalty ${repetitionPenalty}`,
    `at most ${integer(maxNewTokens)} tokens`,
    `seed ${seed}`,
  ]
    .filter((part) => part !== false)
    .join(', ')
}

const listOf = (paths: Record<string, number>): string =>
  Object.entries(paths)
    .sort(([, a], [, b]) => b - a)
    .map(([path, rows]) => `${path} ${integer(rows)}`)
    .join(', ')
