/** Events of a benchmark run as lines for people. */

import type { EvaluationEvent } from '../eval/run/events.js'
import { compact, duration } from './format.js'
import type { Output } from './output.js'

/** Plain lines for a whole run, where there is no terminal to repaint. */
const plainLines = 40

/** Says what happens: a repainting line on a terminal, else a line every few rows. */
export class EvaluationProgress {
  constructor(private readonly output: Output) {}

  /** Tells one event, to programs and to people. */
  tell(event: EvaluationEvent): void {
    // An event a row would say nothing to programs that reads differently from the last; the report is the result.
    if (event.type === 'end') this.output.event({ type: 'result', ...event.report })
    else if (event.type === 'images' || event.type === 'scored') this.output.step(event)
    else this.output.event(event)
    switch (event.type) {
      case 'start': {
        const { benchmark, split, preset, rows, done } = event
        const left = done === 0 ? '' : `, ${done} of them answered already`
        this.output.say(`${benchmark} ${split}, preset ${preset}: ${rows} rows${left}`)
        break
      }
      case 'images':
        this.step(event, 'images checked', '')
        break
      case 'row': {
        const { tokensPerSecond, secondsLeft } = event
        this.step(event, 'rows', ` · ${compact(tokensPerSecond)} tokens/s · ${duration(secondsLeft)} left`)
        break
      }
      case 'scored':
        this.step(event, 'scored', '')
        break
      case 'end':
        break
      default:
        event satisfies never
    }
  }

  private step({ done, total }: { done: number; total: number }, what: string, more: string): void {
    const line = `${what} ${done}/${total}${more}`
    if (this.output.isLive && done < total) this.output.progress(line)
    else if (done === total || done % Math.max(1, Math.round(total / plainLines)) === 0) this.output.say(line)
  }
}
