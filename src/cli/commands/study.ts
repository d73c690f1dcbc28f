/** `coldstart study`, which is also `npm start`. */

import type { Arm, StudyEvent, StudyResult } from '../../study/types.js'
import { compact, duration, percent, short } from '../format.js'
import type { Context } from '../program.js'
import { isPlainStep } from '../train-progress.js'

/** Flags of the command. */
export interface StudyFlags {
  seeds: number
  outputDir: string
  quick: boolean
}

/** Runs the miniature study, showing its progress, and prints the table of its arms. */
export async function studyCommand(flags: StudyFlags, { output, signal }: Context): Promise<void> {
  const { runStudy } = await import('../../study/index.js')
  const { seeds, outputDir, quick } = flags
  const words = ['npx coldstart study', `--seeds ${seeds}`, `--output-dir ${outputDir}`, ...(quick ? ['--quick'] : [])]
  let files: Extract<StudyEvent, { type: 'end' }> | undefined
  const study = await runStudy({
    seeds,
    outputDir,
    quick,
    signal,
    command: words.join(' '),
    onEvent: (event) => {
      output.event(event)
      if (event.type === 'end') files = event
      if (event.type === 'data' || event.type === 'eval') output.progress(describe(event, seeds))
      else if (event.type !== 'step') say(event)
      else if (output.isLive) output.progress(describe(event, seeds))
      else if (isPlainStep(event.step, event.maxSteps, 1)) output.say(describe(event, seeds))
    },
  })
  output.result(table(study))
  if (files !== undefined) output.result(`\nreport: ${files.reportPath}\nnumbers: ${files.studyPath}\n`)

  function say(event: StudyEvent): void {
    const line = describe(event, seeds)
    if (line !== '') output.say(line)
  }
}

const names: Record<Arm, string> = { base: 'base', rl: 'base + RL', sft: 'SFT', 'sft+rl': 'SFT + RL' }

function describe(event: StudyEvent, seeds: number): string {
  const of = (seed: number): string => (seeds === 1 ? '' : `seed ${seed} · `)
  switch (event.type) {
    case 'data':
      return `data · ${event.set} ${event.done}/${event.total}`
    case 'stage':
      return `${of(event.seed)}stage ${event.index}/${event.stages}: training ${names[event.stage]}, ${event.maxSteps} steps`
    case 'step': {
      const loss = event.loss === undefined ? '' : ` · loss ${short(event.loss)}`
      const reward = event.reward === undefined ? '' : ` · reward ${short(event.reward)}`
      const speed = `${compact(event.tokensPerSecond)} tokens/s · ${duration(event.secondsLeft)} left`
      return `${of(event.seed)}${names[event.stage]} ${event.step}/${event.maxSteps}${loss}${reward} · ${speed}`
    }
    case 'eval':
      return `${of(event.seed)}${names[event.arm]} · answering ${event.done}/${event.total} · ${duration(event.secondsLeft)} left`
    case 'arm':
      return `${of(event.seed)}${names[event.arm]}: accuracy ${interval(event.accuracy, event.ci95)} of ${event.n}`
    case 'end':
      return `finished in ${duration(event.seconds)}`
    default:
      event satisfies never
      return ''
  }
}

function table(study: StudyResult): string {
  const lines = study.arms.map((arm) => `  ${names[arm.arm].padEnd(10)} ${interval(arm.accuracy, arm.ci95)}\n`)
  const quick = study.quick ? ' (a quick run: the numbers mean nothing)' : ''
  const { mean, ci95 } = study.gain
  return [
    `accuracy on ${study.data.heldOutImages} held-out images${quick}\n`,
    ...lines,
    `reinforcement learning after SFT gains ${interval(mean, ci95)}\n`,
    `intervals: ${study.intervals}\n`,
  ].join('')
}

const interval = (share: number, [low, high]: readonly [number, number]): string =>
  `${percent(share)} (${percent(low)} to ${percent(high)})`
