// The bar of a table row: accuracy from 0 to 1, its interval as a whisker, every seed as a dot.
import { percent } from './format.js'
import { type Html, html } from './html.js'

/** `colour` is one of the page's series colours. Places are percentages, so the bar fills its cell without distorting the dots. */
export function accuracyBar(
  { accuracy, ci95, perSeed }: { accuracy: number; ci95: readonly [number, number]; perSeed: readonly number[] },
  colour: number,
): Html {
  const x = (share: number) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`
  const [low, high] = ci95
  const label = `${percent(accuracy)}, 95 % interval ${percent(low)} to ${percent(high)}`
  return html`<svg role="img" aria-label="${label}"><title>${label}</title><rect class="track" x="0" y="9" width="100%" height="12" rx="2"/><rect class="bar c${colour}" x="0" y="9" width="${x(accuracy)}" height="12" rx="2"/><line class="whisker" x1="${x(low)}" x2="${x(high)}" y1="15" y2="15"/><line class="whisker" x1="${x(low)}" x2="${x(low)}" y1="5" y2="25"/><line class="whisker" x1="${x(high)}" x2="${x(high)}" y1="5" y2="25"/>${
    perSeed.length > 1 &&
    perSeed.map(
      (share, seed) =>
        html`<circle class="dot" cx="${x(share)}" cy="15" r="3"><title>seed ${seed}: ${percent(share)}</title></circle>`,
    )
  }</svg>`
}
