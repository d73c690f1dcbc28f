import { expect, it } from 'vitest'
import { Output } from '../../src/cli/output.js'
import { isPlainStep, TrainProgress } from '../../src/cli/train-progress.js'

function listen() {
  const said = { text: '' }
  const sink = {
    write: (text: string) => {
      said.text += text
    },
  }
  const output = new Output({ json: false, quiet: false, stdout: sink, stderr: sink })
  return { said, progress: new TrainProgress(output) }
}

it('without a terminal a run of any length takes about forty lines, first and last step among them', () => {
  for (const maxSteps of [1, 7, 100, 1800, 99_999]) {
    const lines = Array.from({ length: maxSteps }, (_, i) => i + 1).filter((step) => isPlainStep(step, maxSteps, 1))
    expect(lines.length).toBeLessThan(60)
    expect(lines[0]).toBe(1)
    expect(lines.at(-1)).toBe(maxSteps)
  }
})

it('a step is told by its most telling metrics, its speed and the time left', () => {
  const { said, progress } = listen()
  const metrics = { loss: 1.23456, token_acc: 0.5, epoch: 1, grad_norm: 2 }
  progress.tell({ type: 'step', stage: 'sft', step: 1, maxSteps: 61, metrics, tokens: 5000, seconds: 2 })
  expect(said.text).toBe('sft 1/61 · loss 1.235 · accuracy 0.5 · grad 2 · 2.5k tokens/s · 2 min 0 s left\n')
})

it('warnings, evaluations and checkpoints are always told', () => {
  const { said, progress } = listen()
  progress.tell({ type: 'warning', stage: 'grpo', step: 3, code: 'E_REWARD', message: 'threw' })
  progress.tell({ type: 'eval', stage: 'sft', step: 3, metrics: { eval_loss: 2 } })
  progress.tell({ type: 'checkpoint', stage: 'sft', step: 3, path: 'runs/a' })
  expect(said.text.split('\n')).toEqual([
    'grpo 3: warning E_REWARD: threw',
    'sft 3: evaluation · loss 2',
    'sft: checkpoint runs/a',
    '',
  ])
})
