// The report of one run as one HTML page: curves, samples, every metric, settings.
import { duration, integer, short } from './format.js'
import { type Html, type HtmlValue, html } from './html.js'
import { lineChart } from './line-chart.js'
import { facts, page } from './page.js'
import type { MetricsLine, RunData, SampleLine } from './read-run.js'

const STAGES: Record<string, string> = { sft: 'Supervised fine-tuning', grpo: 'Reinforcement learning (GRPO)' }

/** Charts in this order, of those metrics that the run has and that are ever anything but 0. The rest is in the table. */
const CHARTS: readonly { metric: string; title: string; logarithmic?: boolean }[] = [
  { metric: 'loss', title: 'Loss', logarithmic: true },
  { metric: 'reward/overall', title: 'Reward' },
  { metric: 'token_acc', title: 'Token accuracy' },
  { metric: 'response_length/mean', title: 'Response length' },
  { metric: 'actor/entropy', title: 'Entropy' },
  { metric: 'actor/kl_loss', title: 'KL to the reference' },
  { metric: 'actor/ppo_kl', title: 'KL to the sampling policy' },
  { metric: 'batch/zero_std_ratio', title: 'Groups of equal reward' },
  { metric: 'response_length/clip_ratio', title: 'Responses cut at the limit' },
  { metric: 'grad_norm', title: 'Gradient norm', logarithmic: true },
  { metric: 'actor/grad_norm', title: 'Gradient norm', logarithmic: true },
  { metric: 'learning_rate', title: 'Learning rate' },
  { metric: 'actor/lr', title: 'Learning rate' },
]

/** Samples shown of a step and of each of its rows, and characters of each. */
const SAMPLES = 8
const SAMPLES_OF_ROW = 2
const CHARACTERS = 4000

/** The page for a run; pure, so the same run gives the same bytes. */
export function renderRunReport(run: RunData): string {
  const body = html`<header>${headline(run)}</header>
<section><h2>Curves</h2>${charts(run)}</section>
${run.samples.length > 0 && html`<section><h2>Samples</h2>${run.samples.map(stepSamples)}</section>`}
<section><h2>Metrics</h2>${metricsTable(run.steps)}</section>
<section><h2>Run</h2>${about(run)}</section>`
  return page(`${run.name}: ${STAGES[run.stage] ?? run.stage}`, body)
}

function headline(run: RunData): Html {
  const last = run.steps.at(-1)
  const seconds = sum(run.steps, (step) => step.seconds)
  const tokens = sum(run.steps, (step) => step.tokens)
  const maxSteps = Number(run.facts.maxSteps)
  return html`<h1>${run.name}</h1>
<p class="lead">${STAGES[run.stage] ?? run.stage}: ${last ? integer(last.step) : 'no'} ${Number.isFinite(maxSteps) && last && last.step < maxSteps ? html`of ${integer(maxSteps)} ` : ''}steps${
    seconds > 0 && html` in ${duration(seconds)}`
  }${tokens > 0 && html`, ${integer(tokens)} tokens${seconds > 0 && html` (${integer(tokens / seconds)} a second)`}`}.</p>`
}

function charts(run: RunData): Html {
  const figures: HtmlValue[] = []
  for (const { metric, title, logarithmic } of CHARTS) {
    const lines = run.steps.filter((line) => metric in line.metrics)
    const always0 = lines.every((line) => line.metrics[metric] === 0)
    if (lines.length > 0 && (!always0 || metric === 'reward/overall'))
      figures.push(chart(lines, metric, title, 2, logarithmic))
  }
  for (const metric of namesOf(run.evals)) {
    figures.push(
      chart(
        run.evals.filter((line) => metric in line.metrics),
        metric,
        'Evaluation',
        3,
        false,
        1,
      ),
    )
  }
  return figures.length === 0
    ? html`<p class="note">No step was written yet.</p>`
    : html`<div class="charts">${figures}</div>`
}

function chart(
  lines: readonly MetricsLine[],
  metric: string,
  title: string,
  colour: number,
  logarithmic = false,
  smooth?: number,
): Html {
  const values = lines.map((line) => line.metrics[metric] ?? Number.NaN)
  return lineChart([{ name: metric, colour, runs: [values] }], {
    title,
    caption: metric,
    steps: lines.map((line) => line.step),
    // Zeros have no place on a logarithmic axis.
    logarithmic: logarithmic && values.every((value) => !(value <= 0)),
    ...(smooth === undefined ? {} : { smooth }),
  })
}

function stepSamples({ step, lines }: RunData['samples'][number]): Html {
  const shown = someOfEachRow(lines).slice(0, SAMPLES)
  return html`<p class="note">Step ${integer(step)}${shown.length < lines.length && html`, ${shown.length} of ${integer(lines.length)} completions`}</p>
<div class="samples">${shown.map(sample)}</div>`
}

/** A group of completions of one prompt is much alike: two of each say more than eight of one. */
function someOfEachRow(lines: readonly SampleLine[]): SampleLine[] {
  const counts = new Map<string, number>()
  return lines.filter(({ row }, index) => {
    const key = row ?? `line ${index}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count <= SAMPLES_OF_ROW
  })
}

function sample({ row, answer, completion, reward, tokens, finishReason }: SampleLine): Html {
  const left = completion.length - CHARACTERS
  const details = [
    row !== undefined && `row ${row}`,
    answer !== undefined && `answer ${answer}`,
    tokens !== undefined && `${integer(tokens)} tokens`,
    finishReason === 'length' && 'cut at the limit',
  ].filter((detail) => detail !== false)
  return html`<article class="sample"><header><b>${reward === undefined ? '' : reward === null ? 'no reward' : `reward ${short(reward)}`}</b><span class="note">${details.join(', ')}</span></header>
<div class="mono completion">${completion.slice(0, CHARACTERS)}${left > 0 && html`<span class="soft"> … ${integer(left)} characters more</span>`}</div></article>`
}

function metricsTable(steps: readonly MetricsLine[]): Html {
  const rows = namesOf(steps).map((name) => {
    const values = steps.map((line) => line.metrics[name] ?? Number.NaN).filter(Number.isFinite)
    const late = values.slice(-Math.max(1, Math.ceil(values.length / 10)))
    const cells =
      values.length === 0
        ? ['', '', '', '']
        : [values[0] as number, mean(late), least(values), greatest(values)].map((value) => short(value))
    return html`<tr><td class="mono">${name}</td>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`
  })
  return html`<div class="scroll"><table><thead><tr><th>metric</th><th class="number">first</th><th class="number">last tenth</th><th class="number">least</th><th class="number">greatest</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function about(run: RunData): Html {
  const text = (name: string) => (run.facts[name] === undefined ? undefined : String(run.facts[name]))
  return html`${facts([
    ['coldstart', text('coldstart')],
    ['first step', run.steps[0]?.time],
    ['last step', run.steps.at(-1)?.time],
    ['resumed from', text('resumedFrom')],
  ])}
${run.settings && html`<details><summary>Settings</summary><pre>${run.settings}</pre></details>`}
<details><summary>Facts of the run</summary><pre>${JSON.stringify(run.facts, null, 2)}</pre></details>`
}

const namesOf = (lines: readonly MetricsLine[]): string[] =>
  [...new Set(lines.flatMap((line) => Object.keys(line.metrics)))].sort()
const mean = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length
const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b))
const greatest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b))
const sum = (lines: readonly MetricsLine[], pick: (line: MetricsLine) => number | undefined): number =>
  lines.reduce((total, line) => total + (pick(line) ?? 0), 0)
