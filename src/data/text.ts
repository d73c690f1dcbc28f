/** Bytes to text without guessing: UTF-8 only, and the place of the first bad byte. */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of UTF-8 bytes, or the index of the first byte that belongs to no character. */
export function decodeUtf8(bytes: Uint8Array): { text: string } | { badByte: number } {
  try {
    return { text: strict.decode(bytes) }
  } catch {
    return { badByte: firstBadByte(bytes) }
  }
}

function isComplete(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** True if the first `length` bytes are UTF-8, or its beginning: a character cut at the end is no error here. */
function isPrefix(bytes: Uint8Array, length: number): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), { stream: true })
    return true
  } catch {
    return false
  }
}

/** By bisection, then back to the first byte of the character that broke off. */
function firstBadByte(bytes: Uint8Array): number {
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isPrefix(bytes, middle)) good = middle
    else bad = middle
  }
  let start = bad - 1
  while (!isComplete(bytes.subarray(0, start))) start -= 1
  return start
}

/** Why a file that begins with these bytes cannot be UTF-8 text, or undefined. */
export function foreignEncoding(head: Uint8Array): string | undefined {
  const [a, b] = head
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return 'UTF-16 text'
  if (a === 0x1f && b === 0x8b) return 'gzip data'
  if (a === 0x50 && b === 0x4b) return 'a zip archive'
  if (Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PAR1') return 'a parquet file'
  return undefined
}

/** Bytes without a UTF-8 byte order mark. */
export function withoutBom(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** Line and column, both from 1, of an index into a text; columns count UTF-16 units. */
export function lineAndColumn(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1
  return { line, column: index - lineStart + 1 }
}
