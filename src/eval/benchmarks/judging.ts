/** Asking a judge until a reply is usable, and what replies mean. */

import type { JudgeSettings } from '../presets.js'
import { afterLast, pythonStrip } from '../python-text.js'
import type { AskOptions, Judge, Scored, Scoring } from '../types.js'

/** The usable part of a reply, or null after the last try. */
export interface Asked<T> {
  value: T | null
  /** Questions that were put. */
  calls: number
  /** Whether some reply came, usable or not. */
  answered: boolean
}

/**
 * Puts `prompt` once for each temperature of `settings` until `usable` makes something of the reply; null from the judge is
 * a failed try.
 */
export async function askJudge<T>(
  judge: Judge,
  prompt: string,
  settings: JudgeSettings,
  scoring: Pick<Scoring, 'signal'>,
  usable: (reply: string) => T | null,
): Promise<Asked<T>> {
  let answered = false
  for (const [attempt, temperature] of settings.temperatures.entries()) {
    const options: AskOptions = { temperature, attempt }
    if (settings.maxTokens !== undefined) options.maxTokens = settings.maxTokens
    if (scoring.signal !== undefined) options.signal = scoring.signal
    const reply = await judge.ask(prompt, options)
    if (reply === null) continue
    answered = true
    const value = usable(reply)
    if (value !== null) return { value, calls: attempt + 1, answered }
  }
  return { value: null, calls: settings.temperatures.length, answered }
}

/** Every reply is usable as it is. */
export function asIs(reply: string): string {
  return reply
}

/** The verdict of the paper's judge: `Yes` or `yes` anywhere, whatever stands around it. */
export function yesNo(reply: string): boolean {
  return reply.includes('Yes') || reply.includes('yes')
}

/** The verdict of MathVerse's judge, or null to ask again: `0` or `1` alone, but for repeats of `Judgement:`. */
export function zeroOne(reply: string): 0 | 1 | null {
  return bareZeroOne(reply.replaceAll('Judgement:', ''))
}

/** The same without leave to repeat the label. */
export function bareZeroOne(reply: string): 0 | 1 | null {
  const stripped = pythonStrip(reply)
  if (stripped === '0') return 0
  return stripped === '1' ? 1 : null
}

/** The part of a response that the paper's judge sees. Linear in its length. */
export function judgeSpan(response: string): string {
  // The original means to cut at this tag and does not.
  if (response.includes('<answer>')) return response
  const start = response.indexOf('<CONCLUSION>')
  if (start >= 0) {
    const end = response.indexOf('</CONCLUSION>')
    // The original cuts at position -1 where nothing closes: the last character goes.
    const span = end < 0 ? response.slice(start).replace(/.$/su, '') : response.slice(start, Math.max(start, end))
    return span.replaceAll('<CONCLUSION>', '')
  }
  if (response.includes('boxed')) {
    const rest = afterLast(response, '\\boxed{')
    return rest.slice(0, Math.max(rest.lastIndexOf('}'), 0))
  }
  return response.split('\n').slice(-3).join('\n')
}

/** No verdict: nobody to ask, or no usable reply. */
export function unjudged(extraction: string | null, calls = 0, path = 'unjudged'): Scored {
  return { extraction, correct: null, path, calls }
}
