// HTML that is safe by construction: the only way to make it is a template whose values are escaped unless they are HTML themselves.

/** A piece of markup. */
export class Html {
  readonly #markup: string

  /** @internal Use {@link html}. */
  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

/** What may stand in a template: text is escaped, lists are joined, nothing is nothing. */
export type HtmlValue = string | number | Html | null | undefined | false | readonly HtmlValue[]

/**
 * ```ts
 * html`<td title="${name}">${completion}</td>`
 * ```
 * Values belong between tags or inside quoted attributes: nowhere else does escaping protect.
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings.reduce((markup, part, index) => markup + markupOf(values[index - 1]) + part))
}

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return value.map(markupOf).join('')
  if (value === null || value === undefined || value === false) return ''
  return escapeHtml(String(value))
}

/** Text as it may stand between tags and inside quotes. Characters that HTML or UTF-8 forbid become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string).replace(FORBIDDEN, '\ufffd')
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const FORBIDDEN = /(?![\t\n\r])[\p{Cc}\p{Cs}]/gu

/** A PNG or JPEG as a data URI, the only images a report shows; nothing for any other address. */
export function dataImage(uri: string): string | undefined {
  return /^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/=]+$/.test(uri) ? uri : undefined
}
