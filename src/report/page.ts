// The frame of a report: one file that opens from disk, asks no server for anything and runs no script.
import { Html, type HtmlValue, html } from './html.js'
import { STYLE } from './style.js'

/** Nothing may load or run but this page's own style and images that are part of it. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** The whole document. */
export function page(title: string, body: HtmlValue): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`.toString()
}

/** Names and values in two columns; entries without a value are left out. */
export function facts(entries: readonly (readonly [name: string, value: HtmlValue])[]): Html {
  const present = entries.filter(
    ([, value]) => value !== undefined && value !== null && value !== '' && value !== false,
  )
  return html`<dl>${present.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`
}
