// A strict reader of the HTML that reports are made of, so that tests judge elements and not substrings.

export interface Element {
  name: string
  attributes: Record<string, string>
}

const VOID = new Set(['meta', 'img', 'br', 'link', 'input'])
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*)\s*(\/?)>/y

/** Every element in document order. Throws at a bare `<`, an attribute without quotes, or a tag that is not closed in turn. */
export function elementsOf(page: string): Element[] {
  const elements: Element[] = []
  const open: string[] = []
  let at = page.indexOf('<html')
  if (!page.startsWith('<!doctype html>')) throw new Error('no doctype')
  while (at >= 0) {
    TAG.lastIndex = at
    const match = TAG.exec(page)
    if (!match) throw new Error(`not a tag: ${page.slice(at, at + 60)}`)
    const [tag, closing, name = '', attributes = '', selfClosing] = match
    if (closing) {
      const expected = open.pop()
      if (expected !== name) throw new Error(`</${name}> closes <${expected}> at ${page.slice(at - 40, at)}`)
    } else {
      elements.push({
        name,
        attributes: Object.fromEntries(
          [...attributes.matchAll(/([a-zA-Z][a-zA-Z0-9-]*)="([^"]*)"/g)].map((m) => [m[1] as string, m[2] as string]),
        ),
      })
      if (!selfClosing && !VOID.has(name)) open.push(name)
    }
    at = page.indexOf('<', at + tag.length)
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`)
  return elements
}
