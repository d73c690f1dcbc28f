// The loop that both trainers share: lock, resume, steps, metrics, checkpoints, and an end that is clean however it comes about.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ColdstartError } from '../errors.js'
import type { VisionLanguageModel } from '../model/model.js'
import { call, type NativeModel, native, unwrap } from '../native/index.js'
import { version } from '../version.js'
import type { ResolvedGRPOArgs, ResolvedSFTArgs } from './args.js'
import type { Logger, Stage, TrainEvent, TrainOutput } from './events.js'
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

/** What a kind of training adds to the loop. */
export interface TrainingStage {
  readonly stage: Stage
  readonly args: CommonArgs
  readonly numRows: number
  readonly maxSteps: number
  readonly fingerprint: string
  /** What the engine must know beyond the common arguments. */
  readonly startOptions?: { sftGroup?: number; sftInterleaved?: boolean }
  /** Runs step `step` (from 0). Weights change only if it returns, unless it throws after the point of no return it documents. */
  step(native: NativeModel, step: number, signal: AbortSignal): Promise<StepResult>
  evaluate?(native: NativeModel, signal: AbortSignal): Promise<Record<string, number>>
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
  options: { signal?: AbortSignal | undefined; logger?: Logger | undefined },
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
    const settings = { ...settingsOf(args), dataset: stage.fingerprint, rows: stage.numRows }
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
    const resumed = findCheckpoint(folder, args.resumeFromCheckpoint)
    for (const reason of resumed?.rejected ?? []) {
      yield { type: 'warning', stage: stage.stage, step: 0, code: 'E_CKPT_CORRUPT', message: reason }
    }
    if (resumed) {
      const state = JSON.parse(await call(engine.loadCheckpoint(resumed.path))) as SavedState
      if (state.stage !== stage.stage) {
        throw new ColdstartError('E_CKPT_MISMATCH', `${resumed.path} is of a ${state.stage} run, not ${stage.stage}`)
      }
      assertSameRun(state.settings, JSON.parse(JSON.stringify(settings)), resumed.path)
      step = state.step
      checkpoint = resumed.path
      stage.restore(state.position)
    } else if (folder) {
      refuseOldRun(folder, args.resumeFromCheckpoint)
    }
    await folder?.rewindMetrics(step)
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

    const save = async (): Promise<string> => {
      const state: SavedState = { stage: stage.stage, step, settings, position: stage.save() }
      const root = (folder as RunFolder).checkpoints
      return call(
        engine.saveCheckpoint(root, step, JSON.stringify(state), args.saveTotalLimit, await model.companionFiles()),
      )
    }

    const history: TrainOutput['history'] = []
    let saved = checkpoint === undefined ? -1 : step
    let failedSaves = 0
    let reason: 'done' | 'aborted' = 'done'
    while (step < stage.maxSteps) {
      const began = performance.now()
      let result: StepResult
      try {
        signal.throwIfAborted()
        result = await stage.step(engine, step, signal)
      } catch (error) {
        if (!signal.aborted) throw atStep(error, step + 1)
        reason = 'aborted'
        break
      }
      step++
      const seconds = (performance.now() - began) / 1000
      for (const warning of result.warnings ?? []) yield { type: 'warning', stage: stage.stage, step, ...warning }
      history.push({ step, metrics: result.metrics })
      if (step % args.loggingSteps === 0 || step === stage.maxSteps) {
        await folder?.appendMetrics({
          type: 'step',
          stage: stage.stage,
          step,
          time: new Date().toISOString(),
          tokens: result.tokens,
          seconds,
          metrics: result.metrics,
        })
      }
      if (result.samples && folder) await folder.writeSamples(step, result.samples)
      if (result.facts) await folder?.addFacts(result.facts)
      options.logger?.info({ step, ...result.metrics }, 'step')
      yield {
        type: 'step',
        stage: stage.stage,
        step,
        maxSteps: stage.maxSteps,
        metrics: result.metrics,
        tokens: result.tokens,
        seconds,
      }
      const evaluateNow =
        stage.evaluate && (step === stage.maxSteps || (args.evalSteps > 0 && step % args.evalSteps === 0))
      if (evaluateNow && stage.evaluate) {
        let metrics: Record<string, number>
        try {
          metrics = await stage.evaluate(engine, signal)
        } catch (error) {
          if (!signal.aborted) throw error
          reason = 'aborted'
          break
        }
        await folder?.appendMetrics({ type: 'eval', stage: stage.stage, step, time: new Date().toISOString(), metrics })
        yield { type: 'eval', stage: stage.stage, step, metrics }
      }
      if (folder && args.saveSteps > 0 && step % args.saveSteps === 0) {
        try {
          checkpoint = await save()
          failedSaves = 0
          saved = step
          yield { type: 'checkpoint', stage: stage.stage, step, path: checkpoint }
        } catch (error) {
          // A full disk may be emptied before the next interval: the run goes on, but not for ever without a checkpoint.
          if (!(error instanceof ColdstartError) || error.code !== 'E_CKPT_SAVE' || ++failedSaves >= MAX_FAILED_SAVES)
            throw error
          yield { type: 'warning', stage: stage.stage, step, code: error.code, message: error.message }
        }
      }
    }
    if (folder && saved !== step) {
      engine.resetAbort()
      checkpoint = await save()
      yield { type: 'checkpoint', stage: stage.stage, step, path: checkpoint }
    }
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

/** Runs to the end without looking at the events. */
export async function drain(events: AsyncGenerator<TrainEvent, TrainOutput, void>): Promise<TrainOutput> {
  while (true) {
    const next = await events.next()
    if (next.done) return next.value
  }
}

/** A step that cannot go on says which one it was. */
function atStep(error: unknown, step: number): unknown {
  if (!(error instanceof ColdstartError) || error.code !== 'E_DIVERGED') return error
  return new ColdstartError('E_DIVERGED', `step ${step}: ${error.message}`, {
    cause: error,
    hint: 'the weights are those before these updates; lower learningRate, or look at the rows of this step',
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

/** A new run never mixes with the files of an old one. */
function refuseOldRun(folder: RunFolder, resume: CommonArgs['resumeFromCheckpoint']): void {
  if (resume === false && existsSync(join(folder.path, 'metrics.jsonl'))) {
    throw new ColdstartError('E_CONFIG', `${folder.path} already holds a run`, {
      hint: "choose another outputDir, or go on with it: resumeFromCheckpoint: 'auto'",
    })
  }
}
