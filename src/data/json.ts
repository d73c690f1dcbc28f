/**
 * JSON as data sets need it: what `JSON.parse` accepts, less the two things that hide mistakes or overflow stacks,
 * repeated keys and deep nesting. `__proto__` stays an ordinary key.
 *
 * `JSON.parse` makes the value; the scanner below finds what it does not report: repeated keys, depth, and the exact
 * place of a syntax error (V8 names it only for some).
 */

/** Deepest nesting of arrays and objects that is read. */
export const maxJsonDepth = 64

/** Why a text was refused, with the position as an index into the text. */
export interface JsonProblem {
  message: string
  index: number
}

/** The value of a JSON text, or why it has none. */
export type JsonResult = { value: unknown; problem?: undefined } | { problem: JsonProblem }

/** Parses a JSON text; refuses syntax errors, nesting beyond {@link maxJsonDepth} and keys given twice. */
export function parseJson(text: string): JsonResult {
  let value: unknown
  let failure: Error | undefined
  try {
    value = JSON.parse(text)
  } catch (error) {
    failure = error as Error
  }
  const problem = new Scanner(text).scan()
  if (problem !== undefined) return { problem }
  if (failure !== undefined) return { problem: { message: failure.message, index: 0 } }
  return { value }
}

class Problem extends Error {
  constructor(
    message: string,
    readonly index: number,
  ) {
    super(message)
  }
}

const quote = 0x22
const backslash = 0x5c
const space = 0x20
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const wordPattern = /true|false|null/y
const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const blankPattern = /[ \t\n\r]*/y

class Scanner {
  private at = 0

  constructor(private readonly text: string) {}

  scan(): JsonProblem | undefined {
    try {
      this.value(0)
      if (this.at < this.text.length) throw this.unexpected('the end')
      return undefined
    } catch (error) {
      if (error instanceof Problem) return { message: error.message, index: error.index }
      throw error
    }
  }

  private value(depth: number): void {
    this.skip(blankPattern)
    const character = this.text[this.at]
    if (character === '{') this.object(depth + 1)
    else if (character === '[') this.array(depth + 1)
    else if (character === '"') this.string()
    else if (!this.skip(numberPattern) && !this.skip(wordPattern)) throw this.unexpected('a value')
    this.skip(blankPattern)
  }

  private object(depth: number): void {
    this.open(depth)
    if (this.closed('}')) return
    const keys = new Set<string>()
    for (;;) {
      this.skip(blankPattern)
      const start = this.at
      if (this.text[start] !== '"') throw this.unexpected('a quoted key')
      const literal = this.string()
      const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1)
      if (keys.has(key)) throw new Problem(`the key ${JSON.stringify(key)} is given twice`, start)
      keys.add(key)
      this.skip(blankPattern)
      this.expect(':')
      this.value(depth)
      if (this.closed('}')) return
      this.expect(',')
    }
  }

  private array(depth: number): void {
    this.open(depth)
    if (this.closed(']')) return
    for (;;) {
      this.value(depth)
      if (this.closed(']')) return
      this.expect(',')
    }
  }

  private open(depth: number): void {
    if (depth > maxJsonDepth) throw new Problem(`nested deeper than ${maxJsonDepth} levels`, this.at)
    this.at += 1
    this.skip(blankPattern)
  }

  /** Moves past a string and returns its literal, quotes included. */
  private string(): string {
    const start = this.at
    for (this.at += 1; this.at < this.text.length; ) {
      const code = this.text.charCodeAt(this.at)
      if (code === quote) {
        this.at += 1
        return this.text.slice(start, this.at)
      }
      if (code < space) throw new Problem('a control character inside a string (it must be escaped)', this.at)
      if (code !== backslash) this.at += 1
      else if (!this.skip(escapePattern)) throw new Problem('a bad escape inside a string', this.at)
    }
    throw new Problem('the text ends inside a string', this.at)
  }

  private closed(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at += 1
    return true
  }

  private expect(character: string): void {
    if (!this.closed(character)) throw this.unexpected(`"${character}"`)
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.text)) return false
    this.at = pattern.lastIndex
    return true
  }

  private unexpected(expected: string): Problem {
    const found = this.text[this.at]
    if (found === undefined) return new Problem(`the text ends where ${expected} was expected`, this.at)
    return new Problem(`expected ${expected}, found ${JSON.stringify(found)}`, this.at)
  }
}
