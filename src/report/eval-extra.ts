// Further official numbers of an evaluation, whatever a benchmark gives: names and values, groups of them folded.
import { short } from './format.js'
import { type Html, html } from './html.js'
import { facts } from './page.js'

/** Items of a list that are shown. */
const ITEMS = 100
/** Groups of at most so many values stand open. */
const OPEN = 8
/** Deeper than this, JSON says it as well. */
const DEPTH = 3

/** `values` is plain JSON data. */
export function extraNumbers(values: Record<string, unknown>, depth = 1): Html {
  const entries = Object.entries(values)
  const plain = entries.filter(([, value]) => !isGroup(value))
  const groups = entries.filter((entry): entry is [string, Group] => isGroup(entry[1]))
  return html`${plain.length > 0 && facts(plain.map(([name, value]) => [name, textOf(value)]))}${groups.map(
    ([name, group]) => folded(name, group, depth),
  )}`
}

function folded(name: string, group: Group, depth: number): Html {
  const content = depth < DEPTH ? extraNumbers(group, depth + 1) : html`<pre>${JSON.stringify(group, null, 2)}</pre>`
  return Object.keys(group).length <= OPEN
    ? html`<details open="open"><summary>${name}</summary>${content}</details>`
    : html`<details><summary>${name}</summary>${content}</details>`
}

type Group = Record<string, unknown>

const isGroup = (value: unknown): value is Group => typeof value === 'object' && value !== null && !Array.isArray(value)

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    const more = value.length - ITEMS
    return `${value.slice(0, ITEMS).map(textOf).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  }
  if (typeof value === 'number') return short(value)
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none')
}
