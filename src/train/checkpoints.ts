// Checkpoints of a run: the one it goes on from, and those it saves.
import { existsSync } from 'node:fs'
import { ColdstartError } from '../errors.js'
import { call, native, unwrap } from '../native/index.js'
import type { Stage, TrainEvent } from './events.js'
import { assertSameRun, type RunFolder } from './run-folder.js'
import { type CommonArgs, type Run, warning } from './stage.js'

interface SavedState {
  stage: Stage
  step: number
  settings: Record<string, unknown>
  position: Record<string, unknown>
}

/** Where a run begins. */
export interface Beginning {
  /** Steps done before. */
  step: number
  /** Checkpoint the run goes on from. */
  checkpoint?: string
}

/** Saves in a row that may fail before the run stops. */
const MAX_FAILED_SAVES = 3

/** Restores engine and stage from the checkpoint that the arguments ask for, if there is one. */
export async function* resume(run: Run): AsyncGenerator<TrainEvent, Beginning, void> {
  const { stage, folder } = run
  const { resumeFromCheckpoint } = stage.args
  const found = findCheckpoint(folder, resumeFromCheckpoint)
  if (found === undefined) return { step: 0 }
  for (const reason of found.rejected) yield warning(run, 0, 'E_CKPT_CORRUPT', reason)
  const { path } = found
  const state = JSON.parse(await call(run.engine.loadCheckpoint(path))) as SavedState
  if (state.stage !== stage.stage) {
    throw new ColdstartError('E_CKPT_MISMATCH', `${path} is of a ${state.stage} run, not ${stage.stage}`)
  }
  assertSameRun(state.settings, JSON.parse(JSON.stringify(run.settings)), path)
  stage.restore(state.position)
  const { step } = state
  if (folder?.owns(path) && resumeFromCheckpoint !== 'auto') {
    const superseded = folder.supersedeAfter(step)
    if (superseded.length > 0) {
      const message = `this run goes on from step ${step}; later checkpoints are now ${superseded.join(', ')}`
      yield warning(run, step, 'E_CKPT_MISMATCH', message)
    }
  }
  return { step, checkpoint: path }
}

/** Saves the steps of a run. */
export class Checkpoints {
  readonly #run: Run
  readonly #folder: RunFolder
  /** The step whose checkpoint is in this folder. One from elsewhere is a beginning, not a part of this run. */
  #saved: number | undefined
  #newest: string | undefined
  #failedSaves = 0
  readonly #told = new Set<string>()

  constructor(run: Run, folder: RunFolder, { step, checkpoint }: Beginning) {
    this.#run = run
    this.#folder = folder
    this.#newest = checkpoint
    if (checkpoint !== undefined && folder.owns(checkpoint)) this.#saved = step
  }

  /** The newest checkpoint, saved or gone on from. */
  get newest(): string | undefined {
    return this.#newest
  }

  hasSaved(step: number): boolean {
    return this.#saved === step
  }

  async *save(step: number): AsyncGenerator<TrainEvent, void, void> {
    const { stage, engine, model, settings } = this.#run
    const state: SavedState = { stage: stage.stage, step, settings, position: stage.save() }
    const saving = engine.saveCheckpoint(
      this.#folder.checkpoints,
      step,
      JSON.stringify(state),
      stage.args.saveTotalLimit,
      await model.companionFiles(),
    )
    const { path, warning: leftover } = await call(saving)
    this.#newest = path
    this.#saved = step
    this.#failedSaves = 0
    yield { type: 'checkpoint', stage: stage.stage, step, path }
    // An old checkpoint that cannot be deleted stays so, save after save.
    if (leftover === undefined || this.#told.has(leftover)) return
    this.#told.add(leftover)
    yield warning(this.#run, step, 'E_PATH', leftover)
  }

  /** The same, where the disk may refuse: it may be emptied before the next time. A run does not go on for ever without a checkpoint. */
  async *trySave(step: number): AsyncGenerator<TrainEvent, void, void> {
    try {
      yield* this.save(step)
    } catch (error) {
      if (!(error instanceof ColdstartError) || error.code !== 'E_CKPT_SAVE') throw error
      this.#failedSaves += 1
      if (this.#failedSaves >= MAX_FAILED_SAVES) throw error
      yield warning(this.#run, step, error.code, error.message)
    }
  }
}

function findCheckpoint(folder: RunFolder | undefined, resume: CommonArgs['resumeFromCheckpoint']) {
  if (resume === false) return undefined
  if (resume !== 'auto') return { path: resume, rejected: [] }
  if (!folder || !existsSync(folder.checkpoints)) return undefined
  return unwrap(native().latestCheckpoint(folder.checkpoints)) ?? undefined
}

/** A run never mixes with the files of another: a new one needs a folder without any, and so does one that goes on from elsewhere. */
export function refuseMixing(folder: RunFolder, resume: CommonArgs['resumeFromCheckpoint']): void {
  if (resume === 'auto' || !folder.holdsRun || (resume !== false && folder.owns(resume))) return
  const what = resume === false ? '' : `, and ${resume} is no checkpoint of it`
  throw new ColdstartError('E_CONFIG', `${folder.path} already holds a run${what}`, {
    hint: "choose another outputDir, or go on with the run that is there: resumeFromCheckpoint: 'auto' (--resume auto)",
  })
}
