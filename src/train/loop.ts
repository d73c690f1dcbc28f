// The loop that both trainers share: lock, resume, steps, metrics, checkpoints, and an end that is clean however it comes about.
import { ColdstartError } from '../errors.js'
import type { VisionLanguageModel } from '../model/model.js'
import type { ParameterCounts } from '../model/types.js'
import { call, native, unwrap } from '../native/index.js'
import { version } from '../version.js'
import { Checkpoints, refuseMixing, resume } from './checkpoints.js'
import type { Logger, RunOptions, TrainEvent, TrainOutput } from './events.js'
import { RunFolder, settingsOf } from './run-folder.js'
import { type Run, type StepResult, type TrainingStage, warning } from './stage.js'

/** Runs a stage to its end as events; returns what is left in memory. */
export async function* runStage(
  model: VisionLanguageModel,
  stage: TrainingStage,
  options: RunOptions,
): AsyncGenerator<TrainEvent, TrainOutput, void> {
  const { args, maxSteps } = stage
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  const held = model.acquire(`${stage.stage} training`)
  const engine = held.native
  const abort = () => engine.abort()
  // Only an abort throws the signal's own reason: what fails after one, perhaps half way through the updates of a step, is a failure.
  const isAbort = (error: unknown) => signal.aborted && error === signal.reason
  let folder: RunFolder | undefined
  try {
    engine.resetAbort()
    signal.addEventListener('abort', abort, { once: true })
    folder = args.outputDir === undefined ? undefined : await RunFolder.open(args.outputDir)
    if (folder) refuseMixing(folder, args.resumeFromCheckpoint)
    const run: Run = { stage, model, engine, folder, settings: settingsOfRun(model, stage) }
    const parameters = await startTraining(run)
    held.setCounts(parameters)
    const beginning = yield* resume(run)
    let { step } = beginning
    const resumedFrom = beginning.checkpoint === undefined ? {} : { resumedFrom: beginning.checkpoint }
    const lines = (await folder?.rewindMetrics(step)) ?? []
    await folder?.writeSettings(args, {
      coldstart: version,
      stage: stage.stage,
      settings: run.settings,
      maxSteps,
      parameters,
      engine: unwrap(native().engineInfo()),
      ...resumedFrom,
    })
    yield { type: 'start', stage: stage.stage, step, maxSteps, numRows: stage.numRows, parameters, ...resumedFrom }

    const checkpoints = folder && new Checkpoints(run, folder, beginning)
    const history: TrainOutput['history'] = []
    const isEvaluated = (at: number) => at > 0 && isDue(at, args.evalSteps, maxSteps)
    // The metrics are the record of what was evaluated: a run that was stopped before this line was written owes it.
    let owesEvaluation =
      beginning.checkpoint !== undefined &&
      folder !== undefined &&
      isEvaluated(step) &&
      !lines.some((line) => line.type === 'eval' && line.step === step)
    /** Why the run ends before its last step, with weights that are those of a step. */
    let stopped: { error: unknown } | undefined
    for (;;) {
      if (owesEvaluation && stage.evaluate) {
        try {
          yield* evaluate(run, stage.evaluate, step, signal)
        } catch (error) {
          stopped = { error }
          break
        }
      }
      if (step >= maxSteps) break
      const began = performance.now()
      let result: StepResult
      try {
        signal.throwIfAborted()
        result = await stage.step(engine, step, signal)
      } catch (error) {
        if (!isAbort(error)) throw await atStep(error, step + 1, run)
        stopped = { error }
        break
      }
      step++
      history.push({ step, metrics: result.metrics })
      yield* tellStep(run, step, result, (performance.now() - began) / 1000)
      owesEvaluation = isEvaluated(step)
      // Before the evaluation, which may fail and takes long at the end.
      const isAsked = options.saveRequested?.() ?? false
      if (checkpoints && (isAsked || isDue(step, args.saveSteps, maxSteps))) yield* checkpoints.trySave(step)
    }
    if (checkpoints && !checkpoints.hasSaved(step)) {
      engine.resetAbort()
      yield* checkpoints.save(step)
    }
    if (stopped && !isAbort(stopped.error)) throw stopped.error
    if (!stopped) await folder?.finish()
    yield { type: 'end', stage: stage.stage, step, reason: stopped ? 'aborted' : 'done' }
    if (stopped) throw signal.reason
    const checkpoint = checkpoints?.newest ?? beginning.checkpoint
    return { step, history, ...(checkpoint === undefined ? {} : { checkpoint }) }
  } finally {
    signal.removeEventListener('abort', abort)
    await stage.close()
    engine.resetAbort()
    folder?.close()
    held.release()
  }
}

/** Whether something that is done every `interval` steps, or only at the end when that is 0, is done after `step`. */
const isDue = (step: number, interval: number, maxSteps: number): boolean =>
  step === maxSteps || (interval > 0 && step % interval === 0)

/** Evaluates and leaves the line of it. */
async function* evaluate(
  run: Run,
  work: NonNullable<TrainingStage['evaluate']>,
  step: number,
  signal: AbortSignal,
): AsyncGenerator<TrainEvent, void, void> {
  const { folder, engine } = run
  const { stage } = run.stage
  signal.throwIfAborted()
  const metrics = await work.call(run.stage, engine, signal)
  folder?.appendMetrics({ type: 'eval', stage, step, time: new Date().toISOString(), metrics })
  yield* flush(run, step)
  yield { type: 'eval', stage, step, metrics }
}

/** Writes down what a step has brought, and tells it. */
async function* tellStep(
  run: Run,
  step: number,
  result: StepResult,
  seconds: number,
): AsyncGenerator<TrainEvent, void, void> {
  const { folder } = run
  const { stage, maxSteps, args } = run.stage
  const { metrics, tokens } = result
  for (const { code, message } of result.warnings ?? []) yield warning(run, step, code, message)
  if (isDue(step, args.loggingSteps, maxSteps)) {
    folder?.appendMetrics({ type: 'step', stage, step, time: new Date().toISOString(), tokens, seconds, metrics })
  }
  if (result.samples) folder?.writeSamples(step, result.samples)
  if (result.facts) folder?.addFacts(result.facts)
  yield* flush(run, step)
  yield { type: 'step', stage, step, maxSteps, metrics, tokens, seconds }
}

async function* flush(run: Run, step: number): AsyncGenerator<TrainEvent, void, void> {
  const unwritten = await run.folder?.flush()
  if (unwritten !== undefined) yield warning(run, step, 'E_CKPT_SAVE', unwritten)
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
async function atStep(error: unknown, step: number, { stage, engine, folder }: Run): Promise<unknown> {
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

function settingsOfRun(model: VisionLanguageModel, stage: TrainingStage): Record<string, unknown> {
  return {
    ...settingsOf(stage.args),
    ...Object.fromEntries(Object.entries(model.identity).map(([name, value]) => [`model.${name}`, value])),
    ...stage.settings,
    dataset: stage.fingerprint,
    rows: stage.numRows,
  }
}

function startTraining({ stage, model, engine }: Run): Promise<ParameterCounts> {
  const { args } = stage
  const options = {
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
    bannedIds: model.samplingDefaults().bannedIds,
    sftInterleaved: false,
    ...stage.startOptions,
  }
  return call(engine.startTraining(options))
}
