// Accuracy by group: a table with bars for each breakdown.
import { isShare } from '../eval/breakdown.js'
import { wilson } from '../eval/interval.js'
import type { Cell } from '../eval/types.js'
import { accuracyBar } from './accuracy-bar.js'
import { integer, percent } from './format.js'
import { type Html, html } from './html.js'

/** Rows of a table that stand open; longer ones are folded. */
const OPEN = 24

/** Breakdowns by name. Long ones come last, folded. */
export function breakdownTables(breakdowns: Record<string, Record<string, Cell>>): Html {
  const tables = Object.entries(breakdowns).filter(([, cells]) => Object.keys(cells).length > 0)
  const isLong = ([, cells]: [string, Record<string, Cell>]) => Object.keys(cells).length > OPEN
  const open = tables.filter((entry) => !isLong(entry))
  const folded = tables.filter(isLong)
  return html`<div class="breakdowns">${open.map(
    ([name, cells]) => html`<figure><figcaption><b>${name}</b></figcaption>${table(cells)}</figure>`,
  )}</div>${folded.map(
    ([name, cells]) =>
      html`<details class="breakdown"><summary>${name}, ${integer(Object.keys(cells).length)} groups</summary>${table(cells)}</details>`,
  )}`
}

function table(cells: Record<string, Cell>): Html {
  const rows = Object.entries(cells).map(([key, { n, correct, accuracy, text }]) => {
    const bar = accuracyBar({ accuracy, ci95: wilson(accuracy * n, n), perSeed: [] }, 2)
    // Some official scripts print the counts themselves, and some scores are no share of them.
    const counts = text?.includes('/')
      ? ''
      : isShare(accuracy, correct, n)
        ? `${integer(correct)} / ${integer(n)}`
        : `of ${integer(n)}`
    return html`<tr><td>${key}</td><td class="number soft">${counts}</td><td class="number">${text ?? percent(accuracy)}</td><td class="bar-cell">${n > 0 && bar}</td></tr>`
  })
  return html`<div class="scroll"><table><tbody>${rows}</tbody></table></div>`
}
