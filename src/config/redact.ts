/** Secrets never reach an output: they are recognised by the name of their key or by their form. */

import { createHash } from 'node:crypto'

const secretName = /(api[_-]?key|secret|passw(or)?d|credential|authorization|(^|[_-])token$|accessToken$|authToken$)/i
const secretForms = /\b(hf_|sk-|ghp_|github_pat_)[A-Za-z0-9_-]{8,}/g
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi

/** A text with tokens and the user part of URLs replaced; a token shows its kind and eight digits of its hash. */
export function redactText(text: string): string {
  return text.replace(secretForms, (token, kind: string) => `${kind}…${digest(token)}`).replace(userInfo, '$1…@')
}

/** Plain data with every secret replaced, whatever its depth. */
export function redact(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return secretName.test(name) && value !== '' ? `…${digest(value)}` : redactText(value)
  if (Array.isArray(value)) return value.map((element) => redact(element, name))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, redact(element, key)]))
  }
  return value
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
