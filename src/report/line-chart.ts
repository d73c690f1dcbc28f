// A line chart as SVG: thin lines for every run, a strong one for their mean. Colours come from the page's style, so it follows the theme.

import { short } from './format.js'
import { type Html, type HtmlValue, html } from './html.js'

/** Lines of one colour: the runs of one stage. */
export interface Series {
  name: string
  /** One of the page's series colours, from 0. */
  colour: number
  /** `[run][step]`, from step 1; numbers that are not finite leave a gap. */
  runs: readonly (readonly number[])[]
}

export interface ChartOptions {
  title: string
  /** What a reader should know about the vertical axis. */
  caption?: string
  /** Steps of the moving average; 1 shows the values as they are. Default: 1/40 of the steps. */
  smooth?: number
  /** Vertical range; by default from the values. */
  range?: [low: number, high: number]
  logarithmic?: boolean
  /** Dashed horizontal lines. */
  references?: readonly { value: number; name: string }[]
  /** Step of each value, where they are not 1, 2, 3, … */
  steps?: readonly number[]
  /** Take a whole row of the page. */
  wide?: boolean
}

const NARROW = 560
/** A whole row of the page, at the same size of text. */
const WIDE = 1150
const HEIGHT = 250
const MARGIN = { top: 14, right: 14, bottom: 30, left: 52 }
/** Points drawn of one line at most: more are not seen at this width. */
const MAX_POINTS = 240

/** A figure with its chart and, for more than one series, a legend. */
export function lineChart(series: readonly Series[], options: ChartOptions): Html {
  const width = options.wide ? WIDE : NARROW
  const drawn = series.map((one) => ({ ...one, lines: linesOf(one.runs, options.smooth) }))
  const steps = Math.max(1, ...drawn.flatMap(({ lines }) => lines.map((line) => line.length)))
  const values = drawn.flatMap(({ lines }) => lines.flat()).filter(Number.isFinite)
  const lastStep = options.steps?.at(-1) ?? steps
  const firstStep = options.steps?.[0] ?? 1
  const y = scale(options.range ?? extent(values, options.logarithmic ?? false), options.logarithmic ?? false)
  const x = (step: number) =>
    MARGIN.left + ((width - MARGIN.left - MARGIN.right) * (step - firstStep)) / Math.max(1, lastStep - firstStep)
  const at = (index: number) => options.steps?.[index] ?? index + 1
  const path = (line: readonly number[]) => pathOf(line, (index) => x(at(index)), y.of)

  return html`<figure class="${options.wide ? 'chart wide' : 'chart'}"><figcaption><b>${options.title}</b>${options.caption && html` <span>${options.caption}</span>`}${
    series.length > 1 && legend(series)
  }</figcaption><svg viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${options.title}">${y.ticks.map(
    (tick) =>
      html`<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${fixed(y.of(tick))}" y2="${fixed(y.of(tick))}"/><text class="tick end" x="${MARGIN.left - 7}" y="${fixed(y.of(tick) + 4)}">${short(tick)}</text>`,
  )}${stepTicks(firstStep, lastStep).map(
    (tick) => html`<text class="tick middle" x="${fixed(x(tick))}" y="${HEIGHT - 10}">${short(tick)}</text>`,
  )}${(options.references ?? []).map(
    ({ value, name }) =>
      html`<line class="reference" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${fixed(y.of(value))}" y2="${fixed(y.of(value))}"/><text class="tick end" x="${width - MARGIN.right}" y="${fixed(y.of(value) - 5)}">${name}</text>`,
  )}${drawn.map(({ name, colour, lines }): HtmlValue => {
    const mean = meanOf(lines)
    return html`<g class="series c${colour}">${lines.length > 1 && lines.map((line) => html`<path class="run" d="${path(line)}"/>`)}<path class="mean" d="${path(mean)}"><title>${name}: ${lastOf(mean, lines.length)}</title></path></g>`
  })}</svg></figure>`
}

function legend(series: readonly Series[]): Html {
  return html`<span class="legend">${series.map(({ name, colour }) => html`<span><i class="swatch c${colour}"></i>${name}</span>`)}</span>`
}

/** The runs after smoothing, from the first step on. */
function linesOf(runs: readonly (readonly number[])[], smooth?: number): number[][] {
  return runs.map((run) => movingAverage(run, smooth ?? Math.max(1, Math.round(run.length / 40))))
}

/** Mean of the last `window` finite values at each step. */
export function movingAverage(values: readonly number[], window: number): number[] {
  return values.map((value, index) => {
    if (!Number.isFinite(value)) return Number.NaN
    const recent = values.slice(Math.max(0, index - window + 1), index + 1).filter(Number.isFinite)
    return recent.reduce((sum, one) => sum + one, 0) / recent.length
  })
}

function meanOf(lines: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...lines.map((line) => line.length))
  return Array.from({ length }, (_, step) => {
    const present = lines.map((line) => line[step] ?? Number.NaN).filter(Number.isFinite)
    return present.length === 0 ? Number.NaN : present.reduce((sum, value) => sum + value, 0) / present.length
  })
}

function pathOf(line: readonly number[], x: (index: number) => number, y: (value: number) => number): string {
  const stride = Math.max(1, Math.ceil(line.length / MAX_POINTS))
  const commands: string[] = []
  let pen = 'M'
  for (let index = 0; index < line.length; index += 1) {
    const value = line[index] as number
    if (!Number.isFinite(value)) {
      pen = 'M'
      continue
    }
    if (index % stride !== 0 && index !== line.length - 1) continue
    commands.push(`${pen}${fixed(x(index))} ${fixed(y(value))}`)
    pen = 'L'
  }
  // A single value is a dot, which a round line cap draws for a path of no length.
  return commands.length === 1 ? `${commands[0]}h0` : commands.join('')
}

function lastOf(mean: readonly number[], runs: number): string {
  const last = mean.findLast(Number.isFinite)
  return last === undefined ? 'no value' : `${runs > 1 ? 'mean, last' : 'last'} ${short(last)}`
}

function extent(values: readonly number[], logarithmic: boolean): [number, number] {
  const used = logarithmic ? values.filter((value) => value > 0) : values
  if (used.length === 0) return logarithmic ? [0.1, 1] : [0, 1]
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of used) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (logarithmic) return low === high ? [low / 2, high * 2] : [low, high]
  // A positive metric starts at 0 unless it moves in a narrow band far above it.
  if (low >= 0 && low < high / 2) low = 0
  if (low === high && low >= 0) return [0, low === 0 ? 1 : low * 1.25]
  if (low === high) return [low - Math.abs(low) / 10, high + Math.abs(high) / 10]
  return [low, high + (high - low) * 0.04]
}

function scale(
  [low, high]: [number, number],
  logarithmic: boolean,
): { of: (value: number) => number; ticks: number[] } {
  const bottom = HEIGHT - MARGIN.bottom
  const height = bottom - MARGIN.top
  const [from, to] = logarithmic ? [Math.log10(low), Math.log10(high)] : [low, high]
  const of = (value: number) => {
    const place = logarithmic ? Math.log10(Math.max(value, low)) : value
    return bottom - (height * (Math.min(Math.max(place, from), to) - from)) / (to - from || 1)
  }
  return { of, ticks: logarithmic ? logTicks(low, high) : linearTicks(low, high, 5) }
}

/** At most about `count` round numbers in low … high. */
export function linearTicks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= 0.9 * raw) ?? 10) * power
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)))
}

function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low)
  if (decades < 0.7) return linearTicks(low, high, 4)
  const factors = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(3))
      if (tick >= low && tick <= high) ticks.push(tick)
    }
  }
  return ticks
}

function stepTicks(first: number, last: number): number[] {
  return [...new Set([first, ...linearTicks(first, last, 6).filter((tick) => Number.isInteger(tick) && tick > first)])]
}

const fixed = (value: number): string => value.toFixed(1)
