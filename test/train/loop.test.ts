import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { SavedCheckpoint } from '../../index.js'
import { ColdstartError } from '../../src/index.js'
import { type SFTArgs, sftArgsSchema } from '../../src/train/args.js'
import { drain, runStage } from '../../src/train/loop.js'
import type { StepResult, TrainingStage } from '../../src/train/stage.js'
import { temporaryFolder, tinyModel } from '../support/tiny.js'

/** A stage of four steps that computes nothing beyond what `own` does. */
function stageOf(args: SFTArgs, own: Partial<TrainingStage> = {}): TrainingStage {
  return {
    stage: 'sft',
    args: sftArgsSchema.parse(args),
    numRows: 1,
    maxSteps: 4,
    fingerprint: 'none',
    step: async (): Promise<StepResult> => ({ metrics: {}, tokens: 0 }),
    suspects: async () => [],
    save: () => ({}),
    restore: () => undefined,
    close: async () => undefined,
    ...own,
  }
}

const checkpoints = (outputDir: string): string[] => {
  const folder = join(outputDir, 'checkpoints')
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('step-')) : []
}

it.each([new ColdstartError('E_DIVERGED', 'not finite'), new Error('out of memory')])(
  'a step that fails after an abort is a failure, and its half-updated weights are not saved: %s',
  async (fault) => {
    await using model = await tinyModel()
    const run = new AbortController()
    const step = async () => {
      run.abort(new Error('stopped'))
      throw fault
    }
    const outputDir = join(temporaryFolder(), 'run')
    await expect(
      drain(runStage(model, stageOf({ outputDir }, { step }), { signal: run.signal })),
    ).rejects.toMatchObject({
      message: expect.stringContaining(fault.message),
    })
    expect(checkpoints(outputDir)).toEqual([])
  },
)

it('a step that is aborted ends the run with the reason, after a checkpoint of the step before', async () => {
  await using model = await tinyModel()
  const run = new AbortController()
  const reason = new Error('stopped')
  const step = async (_: unknown, index: number, signal: AbortSignal) => {
    if (index === 1) run.abort(reason)
    signal.throwIfAborted()
    return { metrics: {}, tokens: 0 }
  }
  const outputDir = join(temporaryFolder(), 'run')
  await expect(drain(runStage(model, stageOf({ outputDir }, { step }), { signal: run.signal }))).rejects.toBe(reason)
  expect(checkpoints(outputDir)).toEqual(['step-000001'])
})

it('an evaluation that fails after an abort is a failure', async () => {
  await using model = await tinyModel()
  const run = new AbortController()
  const fault = new Error('no image')
  const evaluate = async () => {
    run.abort(new Error('stopped'))
    throw fault
  }
  const outputDir = join(temporaryFolder(), 'run')
  const stage = stageOf({ outputDir, evalSteps: 1 }, { evaluate })
  await expect(drain(runStage(model, stage, { signal: run.signal }))).rejects.toBe(fault)
  expect(checkpoints(outputDir)).toEqual(['step-000001'])
  expect(readFileSync(join(outputDir, 'metrics.jsonl'), 'utf8')).not.toContain('eval')
})

it('an old checkpoint that cannot be deleted is told once, and ends no run', async () => {
  await using model = await tinyModel()
  const { native, release } = model.acquire('a test')
  release()
  const save = native.saveCheckpoint
  const leftovers = [undefined, 'step-000001 stays', 'step-000001 stays', 'step-000002 stays']
  vi.spyOn(native, 'saveCheckpoint').mockImplementation(async (...all) => {
    const saved = await save.apply(native, all)
    const leftover = leftovers.shift()
    return leftover === undefined ? saved : { ...(saved as SavedCheckpoint), warning: leftover }
  })
  const outputDir = join(temporaryFolder(), 'run')
  const told: unknown[] = []
  const events = runStage(model, stageOf({ outputDir, saveSteps: 1, saveTotalLimit: 9 }), {})
  for await (const event of events) {
    if (event.type === 'checkpoint') told.push(event.step)
    if (event.type === 'warning') told.push([event.step, event.code, event.message])
  }
  expect(told).toEqual([1, 2, [2, 'E_PATH', 'step-000001 stays'], 3, 4, [4, 'E_PATH', 'step-000002 stays']])
})

it('a run survives two saves in a row that the disk refuses, not three', async () => {
  await using model = await tinyModel()
  const { native, release } = model.acquire('a test')
  release()
  const save = native.saveCheckpoint
  const full = { failure: 'E_CKPT_SAVE', message: 'no space' }
  const run = async (refused: number[]) => {
    const outputDir = join(temporaryFolder(), 'run')
    vi.spyOn(native, 'saveCheckpoint').mockImplementation(async (...all) =>
      refused.includes(all[1]) ? full : save.apply(native, all),
    )
    const told: unknown[] = []
    const stage = stageOf({ outputDir, saveSteps: 1 })
    for await (const { type, step } of runStage(model, stage, {})) {
      if (type === 'checkpoint' || type === 'warning') told.push([type, step])
    }
    return told
  }
  expect(await run([1, 2])).toEqual([
    ['warning', 1],
    ['warning', 2],
    ['checkpoint', 3],
    ['checkpoint', 4],
  ])
  await expect(run([1, 2, 3])).rejects.toMatchObject({ code: 'E_CKPT_SAVE' })
})
