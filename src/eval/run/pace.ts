/** How fast a call answers, and how long the rest takes. */

import type { EvaluationEvent } from './events.js'
import type { ResponseLine } from './types.js'

/** Counts the responses of one call. */
export class Pace {
  readonly #began = performance.now()
  #answered = 0
  #tokens = 0

  /**
   * @param total rows of the run.
   * @param earlier rows that earlier calls answered: they say nothing about this one's speed.
   */
  constructor(
    private readonly total: number,
    private readonly earlier: number,
  ) {}

  /** The event of a response, which is counted. */
  event({ id, promptTokens, tokens, finishReason }: ResponseLine): EvaluationEvent {
    this.#answered += 1
    this.#tokens += promptTokens + tokens
    const seconds = (performance.now() - this.#began) / 1000
    const done = this.earlier + this.#answered
    return {
      type: 'row',
      id,
      done,
      total: this.total,
      promptTokens,
      tokens,
      finishReason: finishReason ?? 'stop',
      tokensPerSecond: this.#tokens / seconds,
      secondsLeft: (seconds / this.#answered) * (this.total - done),
    }
  }
}
