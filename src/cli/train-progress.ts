/** Events of a training run as lines for people. */

import type { TrainEvent } from '../train/events.js'
import { compact, duration, short } from './format.js'
import type { Output } from './output.js'

/** Plain lines for a whole run, where there is no terminal to repaint. */
const plainLines = 40

/** The metrics worth a place in one line, in order, with their short names; absent ones are left out. */
const shown: readonly [metric: string, name: string][] = [
  ['loss', 'loss'],
  ['token_acc', 'accuracy'],
  ['reward/overall', 'reward'],
  ['response_length/mean', 'length'],
  ['actor/entropy', 'entropy'],
  ['grad_norm', 'grad'],
  ['actor/grad_norm', 'grad'],
  ['eval_loss', 'loss'],
  ['eval_token_acc', 'accuracy'],
  ['val/reward_score', 'reward'],
  ['val_response_length/mean', 'length'],
]

/** Says what happens: a repainting line on a terminal, else a line every few steps. */
export class TrainProgress {
  private firstStep = 0
  private secondsPerStep: number | undefined

  constructor(private readonly output: Output) {}

  /** Tells one event, to programs and to people. */
  tell(event: TrainEvent): void {
    this.output.event(event)
    switch (event.type) {
      case 'start': {
        this.firstStep = event.step
        const { total, vision, merger, language } = event.parameters
        const parts = Object.entries({ vision, merger, language }).map(
          ([name, part]) => `${name} ${compact(part.trainable)} of ${compact(part.total)}`,
        )
        const resumed = event.resumedFrom === undefined ? '' : `, going on after step ${event.step}`
        this.output.say(
          `${event.stage}: ${event.numRows} rows, ${event.maxSteps} steps, ${compact(total)} parameters, trained: ${parts.join(', ')}${resumed}`,
        )
        break
      }
      case 'step':
        this.step(event)
        break
      case 'checkpoint':
        this.output.say(`${event.stage}: checkpoint ${event.path}`)
        break
      case 'eval':
        this.output.say(`${event.stage} ${event.step}: evaluation · ${metricsOf(event.metrics).join(' · ')}`)
        break
      case 'warning':
        this.output.say(`${event.stage} ${event.step}: warning ${event.code}: ${event.message}`)
        break
      case 'end':
        break
      default:
        event satisfies never
    }
  }

  private step(event: Extract<TrainEvent, { type: 'step' }>): void {
    const { step, maxSteps, seconds, tokens } = event
    const speed = `${compact(tokens / seconds)} tokens/s`
    // Steps differ in length, so the guess moves slowly.
    this.secondsPerStep = this.secondsPerStep === undefined ? seconds : 0.9 * this.secondsPerStep + 0.1 * seconds
    const left = `${duration((maxSteps - step) * this.secondsPerStep)} left`
    const line = [`${event.stage} ${step}/${maxSteps}`, ...metricsOf(event.metrics), speed, left].join(' · ')
    if (this.output.isLive && step < maxSteps) this.output.progress(line)
    else if (isPlainStep(step, maxSteps, this.firstStep + 1)) this.output.say(line)
  }
}

/** The first and the last step, and about forty evenly between them. */
export function isPlainStep(step: number, maxSteps: number, first: number): boolean {
  return step === first || step === maxSteps || step % Math.max(1, Math.round(maxSteps / plainLines)) === 0
}

function metricsOf(metrics: Readonly<Record<string, number>>): string[] {
  return shown.flatMap(([metric, name]) => {
    const value = metrics[metric]
    return value === undefined ? [] : [`${name} ${short(value)}`]
  })
}
