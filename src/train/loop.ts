// The loop that both trainers share: lock, resume, steps, metrics, checkpoints, and an end that is clean however it comes about.
import { existsSync } from 'node:fs'
import { ColdstartError } from '../errors.js'
import type { VisionLanguageModel } from '../model/model.js'
import { call, type NativeModel, native, unwrap } from '../native/index.js'
import { version } from '../version.js'
import type { ResolvedGRPOArgs, ResolvedSFTArgs } from './args.js'
import type { Logger, RunOptions, Stage, TrainEvent, TrainOutput } from './events.js'
import { assertSameRun, RunFolder, settingsOf } from './run-folder.js'

/** The arguments that mean the same to both trainers. */
export type CommonArgs = Pick<
  ResolvedSFTArgs,
  Exclude<
    keyof ResolvedSFTArgs & keyof ResolvedGRPOArgs,
    'lossAggregation' | 'aggregationGroup' | 'aggregationInterleaved'
  >
>

export interface StepResult {
  metrics: Record<string, number>
  tokens: number
  warnings?: { code: string; message: string }[]
  samples?: Record<string, unknown>[]
  /** What run.json is to say of the run from now on. */
  facts?: Record<string, unknown>
}

/** Of a step that came out non-finite: one row or completion, what is known of it, and whether its own numbers are at fault. */
export interface Suspect {
  source: string
  isAtFault: boolean
  facts: Record<string, unknown>
}

/** What a kind of training adds to the loop. */
export interface TrainingStage {
  readonly stage: Stage
  readonly args: CommonArgs
  readonly numRows: number
  readonly maxSteps: number
  readonly fingerprint: string
  /** What decides the numbers of a run beside the arguments, the data and the model. */
  readonly settings?: Record<string, unknown>
  /** What the engine must know beyond the common arguments. */
  readonly startOptions?: { sftGroup?: number; sftInterleaved?: boolean }
  /** Runs step `step` (from 0). Weights change only if it returns, unless it throws after the point of no return it documents. */
  step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult>
  evaluate?(native: NativeModel, signal: AbortSignal): Promise<Record<string, number>>
  /** Looks at the step that has just come out non-finite; the weights are those before it. */
  suspects(native: NativeModel): Promise<Suspect[]>
  /** Position in the data and counters: everything that is not in the engine. */
  save(): Record<string, unknown>
  restore(state: Record<string, unknown>): void
  /** Waits for work started ahead. */
  close(): Promise<void>
}

interface SavedState {
  stage: Stage
  step: number
  settings: Record<string, unknown>
  position: Record<string, unknown>
}

/** Saves in a row that may fail before the run stops. */
const MAX_FAILED_SAVES = 3

/** Runs a stage to its end as events; returns what is left in memory. */
export async function* runStage(
  model: VisionLanguageModel,
  stage: TrainingStage,
  options: RunOptions,
): AsyncGenerator<TrainEvent, TrainOutput, void> {
  const { args } = stage
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  const held = model.acquire(`${stage.stage} training`)
  const engine = held.native
  const abort = () => engine.abort()
  let folder: RunFolder | undefined
  try {
    engine.resetAbort()
    signal.addEventListener('abort', abort, { once: true })
    folder = args.outputDir === undefined ? undefined : await RunFolder.open(args.outputDir)
    if (folder) refuseMixing(folder, args.resumeFromCheckpoint)
    const settings = {
      ...settingsOf(args),
      ...Object.fromEntries(Object.entries(model.identity).map(([name, value]) => [`model.${name}`, value])),
      ...stage.settings,
      dataset: stage.fingerprint,
      rows: stage.numRows,
    }
    const parameters = await call(
      engine.startTraining({
        ...optimizerOptions(args),
        bannedIds: model.samplingDefaults().bannedIds,
        sftInterleaved: false,
        ...stage.startOptions,
      }),
    )
    held.setCounts(parameters)

    let step = 0
    let checkpoint: string | undefined
    let failedSaves = 0
    const warning = (code: string, message: string): TrainEvent => ({
      type: 'warning',
      stage: stage.stage,
      step,
      code,
      message,
    })
    const evaluatesHere = () =>
      step > 0 && (step === stage.maxSteps || (args.evalSteps > 0 && step % args.evalSteps === 0))
    const resumed = findCheckpoint(folder, args.resumeFromCheckpoint)
    for (const reason of resumed?.rejected ?? []) yield warning('E_CKPT_CORRUPT', reason)
    if (resumed) {
      const state = JSON.parse(await call(engine.loadCheckpoint(resumed.path))) as SavedState
      if (state.stage !== stage.stage) {
        throw new ColdstartError('E_CKPT_MISMATCH', `${resumed.path} is of a ${state.stage} run, not ${stage.stage}`)
      }
      assertSameRun(state.settings, JSON.parse(JSON.stringify(settings)), resumed.path)
      step = state.step
      checkpoint = resumed.path
      stage.restore(state.position)
    }
    // The step whose checkpoint is in this folder. One from elsewhere is a beginning, not a part of this run.
    let saved = resumed && folder?.owns(resumed.path) ? step : -1
    if (saved === step && typeof args.resumeFromCheckpoint === 'string' && args.resumeFromCheckpoint !== 'auto') {
      const superseded = folder?.supersedeAfter(step) ?? []
      if (superseded.length > 0) {
        yield warning(
          'E_CKPT_MISMATCH',
          `this run goes on from step ${step}; later checkpoints are now ${superseded.join(', ')}`,
        )
      }
    }
    const lines = (await folder?.rewindMetrics(step)) ?? []
    await folder?.writeSettings(args, {
      coldstart: version,
      stage: stage.stage,
      settings,
      maxSteps: stage.maxSteps,
      parameters,
      engine: unwrap(native().engineInfo()),
      ...(checkpoint ? { resumedFrom: checkpoint } : {}),
    })
    yield {
      type: 'start',
      stage: stage.stage,
      step,
      maxSteps: stage.maxSteps,
      numRows: stage.numRows,
      parameters,
      ...(checkpoint ? { resumedFrom: checkpoint } : {}),
    }

    const save = async (): Promise<TrainEvent> => {
      const state: SavedState = { stage: stage.stage, step, settings, position: stage.save() }
      const root = (folder as RunFolder).checkpoints
      checkpoint = await call(
        engine.saveCheckpoint(root, step, JSON.stringify(state), args.saveTotalLimit, await model.companionFiles()),
      )
      saved = step
      failedSaves = 0
      return { type: 'checkpoint', stage: stage.stage, step, path: checkpoint }
    }

    const history: TrainOutput['history'] = []
    let reason: 'done' | 'aborted' | 'failed' = 'done'
    let failure: unknown
    // The metrics are the record of what was evaluated: a run that was stopped before this line was written owes it.
    let owesEvaluation =
      resumed !== undefined &&
      folder !== undefined &&
      evaluatesHere() &&
      !lines.some((line) => line.type === 'eval' && line.step === step)
    for (;;) {
      if (owesEvaluation && stage.evaluate) {
        let metrics: Record<string, number>
        try {
          signal.throwIfAborted()
          metrics = await stage.evaluate(engine, signal)
        } catch (error) {
          reason = signal.aborted ? 'aborted' : 'failed'
          failure = error
          break
        }
        folder?.appendMetrics({ type: 'eval', stage: stage.stage, step, time: new Date().toISOString(), metrics })
        const unwritten = await folder?.flush()
        if (unwritten !== undefined) yield warning('E_CKPT_SAVE', unwritten)
        yield { type: 'eval', stage: stage.stage, step, metrics }
      }
      if (step >= stage.maxSteps) break
      const began = performance.now()
      let result: StepResult
      try {
        signal.throwIfAborted()
        result = await stage.step(engine, step, signal)
      } catch (error) {
        if (!signal.aborted) throw await atStep(error, step + 1, stage, engine, folder)
        reason = 'aborted'
        break
      }
      step++
      const seconds = (performance.now() - began) / 1000
      for (const { code, message } of result.warnings ?? []) yield warning(code, message)
      history.push({ step, metrics: result.metrics })
      if (step % args.loggingSteps === 0 || step === stage.maxSteps) {
        folder?.appendMetrics({
          type: 'step',
          stage: stage.stage,
          step,
          time: new Date().toISOString(),
          tokens: result.tokens,
          seconds,
          metrics: result.metrics,
        })
      }
      if (result.samples) folder?.writeSamples(step, result.samples)
      if (result.facts) folder?.addFacts(result.facts)
      const unwritten = await folder?.flush()
      if (unwritten !== undefined) yield warning('E_CKPT_SAVE', unwritten)
      yield {
        type: 'step',
        stage: stage.stage,
        step,
        maxSteps: stage.maxSteps,
        metrics: result.metrics,
        tokens: result.tokens,
        seconds,
      }
      owesEvaluation = evaluatesHere()
      // Before the evaluation, which may fail and takes long at the end.
      const isAsked = options.saveRequested?.() ?? false
      const isDue = step === stage.maxSteps || (args.saveSteps > 0 && step % args.saveSteps === 0)
      if (folder && (isDue || isAsked)) {
        try {
          yield await save()
        } catch (error) {
          // A full disk may be emptied before the next interval: the run goes on, but not for ever without a checkpoint.
          if (!(error instanceof ColdstartError) || error.code !== 'E_CKPT_SAVE' || ++failedSaves >= MAX_FAILED_SAVES)
            throw error
          yield warning(error.code, error.message)
        }
      }
    }
    if (folder && saved !== step) {
      engine.resetAbort()
      yield await save()
    }
    if (reason === 'failed') throw failure
    if (reason === 'done') await folder?.finish()
    yield { type: 'end', stage: stage.stage, step, reason }
    if (reason === 'aborted') throw signal.reason
    return { step, history, ...(checkpoint === undefined ? {} : { checkpoint }) }
  } finally {
    signal.removeEventListener('abort', abort)
    await stage.close()
    engine.resetAbort()
    folder?.close()
    held.release()
  }
}

/** Passes the events on and tells them to a logger, whose own faults are not the run's. */
export async function* logged(
  events: AsyncGenerator<TrainEvent, TrainOutput, void>,
  logger: Logger | undefined,
): AsyncGenerator<TrainEvent, TrainOutput, void> {
  try {
    for (;;) {
      const next = await events.next()
      if (next.done) return next.value
      tell(logger, next.value)
      yield next.value
    }
  } finally {
    // Of a consumer that left: the run ends with it.
    await events.return(undefined as never)
  }
}

function tell(logger: Logger | undefined, event: TrainEvent): void {
  try {
    if (event.type === 'step') logger?.info({ step: event.step, ...event.metrics }, 'step')
    if (event.type === 'warning') logger?.warn({ step: event.step, code: event.code }, event.message)
  } catch {
    // A log is not worth a run.
  }
}

/** Runs to the end without looking at the events. */
export async function drain(events: AsyncGenerator<TrainEvent, TrainOutput, void>): Promise<TrainOutput> {
  while (true) {
    const next = await events.next()
    if (next.done) return next.value
  }
}

/** A step that cannot go on says which one it was, which rows are at fault, and leaves what is known of them in the folder. */
async function atStep(
  error: unknown,
  step: number,
  stage: TrainingStage,
  engine: NativeModel,
  folder: RunFolder | undefined,
): Promise<unknown> {
  if (!(error instanceof ColdstartError) || error.code !== 'E_DIVERGED') return error
  // What is found out here must not hide what happened.
  const suspects = await stage.suspects(engine).catch(() => [])
  const faulty = [...new Set(suspects.filter(({ isAtFault }) => isAtFault).map(({ source }) => source))]
  const more = faulty.length > 3 ? ` and ${faulty.length - 3} more rows` : ''
  const rows = faulty.length === 0 ? '' : `; not finite by itself: ${faulty.slice(0, 3).join(', ')}${more}`
  const file = folder?.writeDiverged(
    step,
    suspects.map(({ source, isAtFault, facts }) => ({ source, isAtFault, ...facts })),
  )
  await folder?.flush()
  const where = file === undefined ? '' : `; ${file} has the rows`
  return new ColdstartError('E_DIVERGED', `step ${step}: ${error.message}${rows}${where}`, {
    cause: error,
    hint: 'the weights are those before these updates; lower learningRate, or look at the rows of this step',
    details: { step, rows: faulty },
  })
}

function optimizerOptions(args: CommonArgs) {
  return {
    freeze: args.freeze,
    beta1: args.adamBeta1,
    beta2: args.adamBeta2,
    epsilon: args.adamEpsilon,
    weightDecay: args.weightDecay,
    maxGradNorm: args.maxGradNorm,
    maxSkips: args.maxSkippedUpdates,
    microBatchTokens: args.microBatchTokens,
    recompute: args.gradientCheckpointing,
    decay: args.decay,
    lrScale: args.lrScale,
    weightDecayScale: args.weightDecayScale,
  }
}

function findCheckpoint(folder: RunFolder | undefined, resume: CommonArgs['resumeFromCheckpoint']) {
  if (resume === false) return undefined
  if (resume !== 'auto') return { path: resume, rejected: [] }
  if (!folder || !existsSync(folder.checkpoints)) return undefined
  return unwrap(native().latestCheckpoint(folder.checkpoints)) ?? undefined
}

/** A run never mixes with the files of another: a new one needs a folder without any, and so does one that goes on from elsewhere. */
function refuseMixing(folder: RunFolder, resume: CommonArgs['resumeFromCheckpoint']): void {
  if (resume === 'auto' || !folder.holdsRun || (resume !== false && folder.owns(resume))) return
  const what = resume === false ? '' : `, and ${resume} is no checkpoint of it`
  throw new ColdstartError('E_CONFIG', `${folder.path} already holds a run${what}`, {
    hint: "choose another outputDir, or go on with the run that is there: resumeFromCheckpoint: 'auto' (--resume auto)",
  })
}
