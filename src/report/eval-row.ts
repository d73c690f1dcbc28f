// One row of an evaluation: what was asked, what was said, what was found in it, and who decided.
import { integer } from './format.js'
import { dataImage, type Html, type HtmlValue, html } from './html.js'

/** What a row can be chosen by. The first three exclude each other. */
export type Verdict = 'right' | 'wrong' | 'unjudged' | 'no-answer' | 'truncated' | 'missing'

/** A row as the page shows it. */
export interface EvalRow {
  id: string
  question: string
  gold: string
  /** null: none was given. */
  response: string | null
  /** null: nothing was found in the response. */
  extraction: string | null
  /** null: no verdict. */
  correct: boolean | null
  path: string
  groups: Record<string, string | string[]>
  /** The response was cut at the limit. */
  truncated: boolean
  /** Tokens of the response; 0 where they are not known. */
  tokens: number
  /** Images of the row; how many of them are shown is another matter. */
  images: number
  /** The first image as a data URI. */
  thumbnail?: string
}

/** Characters of a question, of a gold answer or extraction. */
const QUESTION = 1500
const ANSWER = 400

/** Every verdict that a row can be chosen by. */
export function verdictsOf({ correct, response, extraction, truncated }: EvalRow): Verdict[] {
  const verdicts: Verdict[] = [correct === null ? 'unjudged' : correct ? 'right' : 'wrong']
  if (response !== null && extraction === null) verdicts.push('no-answer')
  if (truncated) verdicts.push('truncated')
  if (response === null) verdicts.push('missing')
  return verdicts
}

/** `characters`: of the response. `groups`: numbers of the groups that the row belongs to. */
export function rowCard(row: EvalRow, groups: readonly number[], characters: number): Html {
  const verdicts = verdictsOf(row)
  const [verdict] = verdicts as [Verdict]
  const source = row.thumbnail === undefined ? undefined : dataImage(row.thumbnail)
  return html`<article class="row" data-verdicts="${verdicts.join(' ')}" data-groups="${groups.join(' ')}">
<div class="picture">${source && html`<img src="${source}" alt="image of row ${row.id}">`}${row.images > 1 && html`<span class="note">and ${row.images - 1} more</span>`}</div>
<div class="words"><header><b class="${verdict}">${MARK[verdict]}${verdict}</b><span>row <span class="mono">${row.id}</span></span><span class="note">${notes(row)}</span></header>
<div class="question">${shortened(row.question, QUESTION)}</div>
<dl><dt>gold</dt><dd class="mono">${answer(row.gold)}</dd><dt>extracted</dt><dd class="mono">${row.extraction === null ? html`<span class="soft">nothing</span>` : answer(row.extraction)}</dd></dl>
${response(row, characters)}</div></article>`
}

const MARK: Record<string, string> = { right: '✓ ', wrong: '✗ ', unjudged: '? ' }

function notes({ path, tokens, truncated, response }: EvalRow): string {
  return [
    response !== null && `decided by ${path}`,
    tokens > 0 && `${integer(tokens)} tokens`,
    truncated && 'cut at the limit',
  ]
    .filter((note) => note !== false)
    .join(', ')
}

function response({ response: text }: EvalRow, characters: number): HtmlValue {
  if (text === null) return html`<p class="note">No response was given.</p>`
  if (text === '') return html`<p class="note">The response is empty.</p>`
  return html`<details><summary>response, ${integer(text.length)} characters</summary><div class="mono completion">${shortened(text, characters)}</div></details>`
}

const answer = (text: string): HtmlValue =>
  text === '' ? html`<span class="soft">(empty)</span>` : shortened(text, ANSWER)

/** The text without its middle where it is too long: what decides stands at the end of a response. */
function shortened(text: string, limit: number): HtmlValue {
  if (text.length <= limit) return text
  const head = Math.floor(limit / 3)
  const left = text.length - limit
  return html`${text.slice(0, head)}<span class="soft"> … ${integer(left)} characters left out … </span>${text.slice(head + left)}`
}
