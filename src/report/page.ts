// The frame of a report: one file that opens from disk, asks no server for anything and runs no script but its own.
import { createHash } from 'node:crypto'
import { Html, type HtmlValue, html } from './html.js'
import { STYLE } from './style.js'

/** Nothing may load or run but this page's own style and images that are part of it. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** What a page has besides the common style. Both are source text of this package, never of data. */
export interface PageParts {
  style?: string
  /** Runs at the end of the body; the policy lets this very text run and no other. Must not contain `<`. */
  script?: string
}

/** The whole document. */
export function page(title: string, body: HtmlValue, { style = '', script }: PageParts = {}): string {
  const policy = script === undefined ? POLICY : `${POLICY}; script-src 'sha256-${sha256(script)}'`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(STYLE + style)}</style>
</head>
<body>
${body}${script !== undefined && html`\n<script>${new Html(script)}</script>`}
</body>
</html>
`.toString()
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64')

/** Names and values in two columns; entries without a value are left out. */
export function facts(entries: readonly (readonly [name: string, value: HtmlValue])[]): Html {
  const present = entries.filter(
    ([, value]) => value !== undefined && value !== null && value !== '' && value !== false,
  )
  return html`<dl>${present.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`
}
