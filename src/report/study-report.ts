// The report of the miniature study as one HTML page.
import type { Accuracy, Arm, Curve, Sample, StudyResult } from '../study/types.js'
import { accuracyBar } from './accuracy-bar.js'
import { duration, integer, percent, points } from './format.js'
import { dataImage, type Html, html } from './html.js'
import { lineChart, type Series } from './line-chart.js'
import { facts, page } from './page.js'

const COLOUR: Record<Arm, number> = { base: 0, rl: 1, sft: 2, 'sft+rl': 3 }
const NAME: Record<Arm, string> = { base: 'base', rl: 'RL', sft: 'SFT', 'sft+rl': 'SFT + RL' }
const MEANING: Record<Arm, string> = {
  base: 'reads digits and adds numbers, was never asked for a sum of an image',
  rl: 'reinforcement learning from the base',
  sft: 'cold start on chains of thought',
  'sft+rl': 'cold start, then reinforcement learning',
}

/** The page for a study; pure, so the same study gives the same bytes. */
export function renderStudyReport(study: StudyResult): string {
  const body = html`<header>${headline(study)}</header>
${study.quick && html`<p class="warning">A quick run of a few steps: it shows that everything works, not what the arms can do.</p>`}
<section><h2>Result</h2>${results(study)}</section>
<section><h2>Learning</h2>${curves(study)}</section>
<section><h2>Held-out images before and after</h2>${samples(study.samples)}</section>
<section><h2>Time</h2>${timing(study)}</section>
<section><h2>How to get the same numbers</h2>${reproduction(study)}</section>`
  return page('Cold start in miniature', body)
}

function headline(study: StudyResult): Html {
  const arm = (name: Arm) => study.arms.find((one) => one.arm === name) as Accuracy
  const share = (name: Arm) => percent(arm(name).accuracy, 0)
  return html`<h1>Cold start in miniature</h1>
<p class="lead">A vision-language model of ${integer(study.parameters)} parameters, trained from nothing on handwritten digits, is asked for the sum of three
digits it has never seen. A cold start on a few chains of thought answers ${share('sft')} of the questions; reinforcement learning after it,
<b>${share('sft+rl')}</b>; reinforcement learning without it, ${share('rl')}.</p>`
}

function results(study: StudyResult): Html {
  const questions = integer(study.data.heldOutImages)
  const rows = study.arms.map(
    (result) => html`<tr><td><b>${NAME[result.arm]}</b><br><span class="note">${MEANING[result.arm]}</span></td>
<td class="number big">${percent(result.accuracy)}</td>
<td class="number">${interval(result.ci95)}</td>
<td class="bar-cell">${accuracyBar(result, COLOUR[result.arm])}</td>
${result.otherLengths.map(({ accuracy }) => html`<td class="number soft">${percent(accuracy)}</td>`)}</tr>`,
  )
  const lengths = study.arms[0]?.otherLengths ?? []
  return html`<div class="scroll"><table>
<thead><tr><th>arm</th><th class="number">right</th><th class="number">95 % interval</th><th></th>${lengths.map(({ digits }) => html`<th class="number">${digits} digits</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="note">${questions} held-out images of three digits${study.seeds > 1 && html`, ${study.seeds} seeds (dots)`}, greedy decoding, the last boxed answer must equal the
sum. ${study.intervals} Images of two and of four digits are ones that reinforcement learning never saw.</p>
<p>Reinforcement learning adds <b>${points(study.gain.mean)} points</b> to the cold start (95 % interval ${points(study.gain.ci95[0])} to ${points(study.gain.ci95[1])}${
    study.seeds > 1 && html`; ${study.gain.perSeed.map(points).join(', ')} by seed`
  }). The base model reads all three digits of ${percent(study.reading.accuracy)} of these images: about the most that any arm can reach.</p>`
}

function curves(study: StudyResult): Html {
  const series = (arm: Arm): Series => ({
    name: NAME[arm],
    colour: COLOUR[arm],
    runs: study.curves.filter((curve: Curve) => curve.stage === arm).map(({ values }) => values),
  })
  const loss = { logarithmic: true }
  return html`<div class="charts">${lineChart([series('rl'), series('sft+rl')], {
    title: 'Reward',
    caption: 'share of sampled answers that are right',
    range: [0, 1],
    wide: true,
  })}${lineChart([series('sft')], { title: 'Cold start', caption: 'loss per token, logarithmic', ...loss })}${lineChart(
    [series('base')],
    {
      title: 'Base model',
      caption: 'loss per token, logarithmic',
      ...loss,
    },
  )}</div><p class="note">By step, as moving averages over a fortieth of the steps${study.seeds > 1 && html`; thin lines are seeds, strong lines their mean`}.</p>`
}

function samples(list: readonly Sample[]): Html {
  return html`<p class="note">The first ${list.length} images of the held-out set, seed 0, as they came.</p>
<div class="samples">${list.map(sample)}</div>`
}

function sample({ image, problem, answer, responses }: Sample): Html {
  const source = dataImage(image)
  return html`<article class="sample"><header>${source && html`<img src="${source}" alt="handwritten digits">`}<div>${problem}<br><span class="note">answer ${answer}</span></div></header>
${responses.map(
  ({ arm, text, correct }) =>
    html`<div class="answer"><span class="note">${NAME[arm]}</span><b class="${correct ? 'right' : 'wrong'}" title="${correct ? 'right' : 'wrong'}">${correct ? '✓' : '✗'}</b><span class="mono">${text === '' ? html`<span class="soft">(empty)</span>` : text}</span></div>`,
)}</article>`
}

function timing(study: StudyResult): Html {
  const rows = study.stages.map(
    ({
      name,
      seconds,
      tokens,
    }) => html`<tr><td>${NAME[name as Arm] ?? name}</td><td class="number">${duration(seconds)}</td>
<td class="number">${tokens > 0 && integer(tokens)}</td><td class="number">${tokens > 0 && seconds > 0 && integer(tokens / seconds)}</td></tr>`,
  )
  return html`<table><thead><tr><th>stage</th><th class="number">time</th><th class="number">tokens</th><th class="number">tokens per second</th></tr></thead>
<tbody>${rows}<tr><td>evaluation</td><td class="number">${duration(study.evalSeconds)}</td><td></td><td></td></tr>
<tr><td><b>everything</b></td><td class="number"><b>${duration(study.seconds)}</b></td><td></td><td></td></tr></tbody></table>
<p class="note">${study.seeds > 1 && html`All ${study.seeds} seeds together. `}Tokens of reinforcement learning are those of prompts and completions.</p>`
}

function reproduction(study: StudyResult): Html {
  const { machine, versions, data } = study
  return html`<pre>${study.command}</pre>
${facts([
  ['seeds', study.seeds === 1 ? '0' : `0 … ${study.seeds - 1}`],
  ['data', `${integer(data.images)} images, sha256 ${data.sha256}`],
  [
    'digits',
    `${integer(data.trainDigits)} to train on, ${integer(data.heldOutDigits)} held out (mnist ${versions.mnist})`,
  ],
  ['coldstart', versions.coldstart],
  ['Node.js', versions.node],
  ['machine', `${machine.cpu}, ${machine.logicalCores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`],
  ['engine', `${machine.threads} threads, ${machine.kernel}`],
  ['started', study.startedAt],
])}
<details><summary>Recipe</summary><pre>${JSON.stringify(study.recipe, null, 2)}</pre></details>`
}

const interval = ([low, high]: readonly [number, number]): string => `${percent(low)} – ${percent(high)}`
