/** The option letter of a response to We-Math's own template. */

import { afterLast, pythonStrip } from '../../python-text.js'

/**
 * The first character behind the last `Answer`, if it is a letter A–H; the template's signs do not count. Made for the
 * template alone: `As shown …` gives A, and a boxed letter nothing.
 */
export function extractLetter(response: string): string | null {
  const behind = pythonStrip(afterLast(response, 'Answer')).replace(/[><:.]/g, '')
  const first = pythonStrip(behind)[0] ?? ''
  return /^[A-H]$/.test(first) ? first : null
}
