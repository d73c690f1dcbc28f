/** Python literals in data: a published column holds a printed dictionary where others hold an object. Nothing is evaluated. */

const maxDepth = 16

/**
 * The value of a dictionary, list, text, number, `True`, `False` or `None` as Python prints it; undefined for any other text.
 */
export function parsePythonLiteral(text: string): unknown {
  try {
    return new Reader(text).all()
  } catch (error) {
    if (error instanceof NotLiteral) return undefined
    throw error
  }
}

class NotLiteral extends Error {}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"' }
const words = new Map<string, unknown>([
  ['True', true],
  ['False', false],
  ['None', null],
])

class Reader {
  private at = 0

  constructor(private readonly text: string) {}

  all(): unknown {
    const value = this.value(0)
    if (this.at < this.text.length) throw new NotLiteral()
    return value
  }

  private value(depth: number): unknown {
    if (depth > maxDepth) throw new NotLiteral()
    this.match(/\s*/y)
    const first = this.text[this.at]
    const value =
      first === '{'
        ? this.dictionary(depth)
        : first === '['
          ? this.list(depth)
          : first === "'" || first === '"'
            ? this.string(first)
            : this.atom()
    this.match(/\s*/y)
    return value
  }

  private dictionary(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = []
    this.items('}', () => {
      const key = this.value(depth + 1)
      if (typeof key !== 'string' || this.match(/:/y) === null) throw new NotLiteral()
      entries.push([key, this.value(depth + 1)])
    })
    return Object.fromEntries(entries)
  }

  private list(depth: number): unknown[] {
    const values: unknown[] = []
    this.items(']', () => values.push(this.value(depth + 1)))
    return values
  }

  private items(close: string, item: () => void): void {
    this.at += 1
    for (;;) {
      this.match(/\s*/y)
      if (this.text[this.at] === close) break
      item()
      if (this.match(/,/y) === null && this.text[this.at] !== close) throw new NotLiteral()
    }
    this.at += 1
  }

  private string(quote: string): string {
    let value = ''
    for (this.at += 1; this.text[this.at] !== quote; this.at += 1) {
      let character = this.text[this.at]
      if (character === '\\') {
        this.at += 1
        character = escapes[this.text[this.at] ?? '']
      }
      if (character === undefined) throw new NotLiteral()
      value += character
    }
    this.at += 1
    return value
  }

  private atom(): unknown {
    const word = this.match(/[A-Za-z]+/y)
    if (word !== null && words.has(word)) return words.get(word)
    const number = word === null ? this.match(/-?\d+(?:\.\d+)?/y) : null
    if (number === null) throw new NotLiteral()
    return Number(number)
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0] ?? null
    this.at += found?.length ?? 0
    return found
  }
}
