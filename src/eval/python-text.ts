/** Text as Python 3 cuts it: its white space is not JavaScript's, and the official scripts are Python. */

/** `str.isspace` characters: JavaScript's `\s` less U+FEFF, with U+0085 and the separators U+001C to U+001F. */
const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const spaceCharacter = new RegExp(space)
const spaces = new RegExp(`${space}+`)

/** `text.strip()`. */
export function pythonStrip(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && spaceCharacter.test(text[start]!)) start += 1
  while (end > start && spaceCharacter.test(text[end - 1]!)) end -= 1
  return text.slice(start, end)
}

/** `text.split()`: the words between white space, none of them empty. */
export function pythonSplit(text: string): string[] {
  const stripped = pythonStrip(text)
  return stripped === '' ? [] : stripped.split(spaces)
}

/** What follows the last `separator`; all of the text if there is none: `text.split(separator)[-1]`. */
export function afterLast(text: string, separator: string): string {
  const at = text.lastIndexOf(separator)
  return at < 0 ? text : text.slice(at + separator.length)
}

/** What precedes the first `separator`; all of the text if there is none: `text.split(separator)[0]`. */
export function beforeFirst(text: string, separator: string): string {
  const at = text.indexOf(separator)
  return at < 0 ? text : text.slice(0, at)
}

/** Number of code points, `len(text)`. */
export function pythonLength(text: string): number {
  let length = text.length
  for (let i = 0; i + 1 < text.length; i += 1) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) length -= 1
  }
  return length
}
