// Choosing rows of an evaluation: the controls, and the only script of any report. Without it the page shows every row.
import type { Verdict } from './eval-row.js'
import { integer } from './format.js'
import { type Html, html } from './html.js'

/** A value of a breakdown that rows can be chosen by; rows carry its number. */
export interface GroupChoice {
  number: number
  name: string
  value: string
  rows: number
}

/** The controls. `verdicts` in the order they are to stand. */
export function filterControls(
  verdicts: readonly { verdict: Verdict; name: string; rows: number }[],
  groups: readonly GroupChoice[],
  total: number,
): Html {
  const names = [...new Set(groups.map(({ name }) => name))]
  return html`<div class="filters" hidden="hidden">
<div class="chips" role="group" aria-label="verdict"><button type="button" data-verdict="" aria-pressed="true">all ${integer(total)}</button>${verdicts.map(
    ({ verdict, name, rows }) =>
      html`<button type="button" data-verdict="${verdict}" aria-pressed="false"><i class="mark ${verdict}"></i>${name} ${integer(rows)}</button>`,
  )}</div>
${
  groups.length > 0 &&
  html`<select aria-label="group"><option value="">every group</option>${names.map(
    (name) =>
      html`<optgroup label="${name}">${groups
        .filter((group) => group.name === name)
        .map(
          ({ number, value, rows }) => html`<option value="${number}">${value} (${integer(rows)})</option>`,
        )}</optgroup>`,
  )}</select>`
}
<input type="search" placeholder="text in question, answer or response" aria-label="text">
<output class="note"></output>
</div>`
}

/** Hides the rows that do not fit; keeps no state anywhere else. It contains no `<`, as a page demands. */
export const FILTER_SCRIPT = `
const all = (selector) => [...document.querySelectorAll(selector)];
const list = (text) => text.split(' ');
const rows = all('article.row').map((element) => ({ element, verdicts: list(element.dataset.verdicts), groups: list(element.dataset.groups) }));
const bar = document.querySelector('.filters');
const chips = all('.filters button');
const group = bar.querySelector('select');
const words = bar.querySelector('input');
const count = bar.querySelector('output');
const textOf = (row) => (row.text ??= row.element.textContent.toLowerCase());
let verdict = '';
const update = () => {
  const chosen = group ? group.value : '';
  const sought = words.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = (verdict === '' || row.verdicts.includes(verdict)) && (chosen === '' || row.groups.includes(chosen)) && (sought === '' || textOf(row).includes(sought));
    row.element.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const chip of chips) chip.setAttribute('aria-pressed', String(chip.dataset.verdict === verdict));
  count.textContent = shown === rows.length ? '' : shown.toLocaleString('en-US') + ' of ' + rows.length.toLocaleString('en-US') + ' rows';
};
for (const chip of chips) chip.addEventListener('click', () => {
  verdict = chip.dataset.verdict;
  update();
});
if (group) group.addEventListener('change', update);
let soon;
words.addEventListener('input', () => {
  clearTimeout(soon);
  soon = setTimeout(update, 150);
});
bar.hidden = false;
update();
`
