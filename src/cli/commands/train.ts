/** `coldstart sft` and `coldstart grpo`. */

import { existsSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { type Override, type ResolvedConfig, resolveConfig } from '../../config/resolve.js'
import type { Config } from '../../config/schemas.js'
import type { Dataset } from '../../data/dataset.js'
import { loadDataset } from '../../data/load.js'
import { ColdstartError } from '../../errors.js'
import { makeOutputFolder } from '../../files/folder.js'
import { readPreprocessor } from '../../processor/model-files.js'
import type { TrainEvent } from '../../train/events.js'
import { needModel } from '../model-folder.js'
import { type NamedFlags, overridesOf } from '../overrides.js'
import type { Context } from '../program.js'
import { withRewards } from '../rewards.js'
import { TrainProgress } from '../train-progress.js'

type Stage = 'sft' | 'grpo'

/** Flags of both commands. */
export interface TrainFlags extends NamedFlags {
  outputDir?: string
  resume?: string
  dryRun: boolean
}

/** Trains as a configuration says, telling its events; ends with a checkpoint when the context's signal is aborted. */
export async function trainCommand(
  stage: Stage,
  file: string | undefined,
  flags: TrainFlags,
  context: Context,
): Promise<void> {
  if (stage === 'sft') await sft(file, flags, context)
  else await grpo(file, flags, context)
}

async function sft(file: string | undefined, flags: TrainFlags, context: Context): Promise<void> {
  const { config } = await resolve('sft', file, flags)
  const data = await loadData(config.data, context)
  if (flags.dryRun) {
    const { withResponses } = await import('../../train/conversation.js')
    return dryRun('sft', config, await checked(data, context, withResponses), context)
  }
  const { SFTTrainer } = await import('../../train/sft-trainer.js')
  await withModel(config.model, context, async (model) => {
    const trainer = new SFTTrainer({ model, args: config.args, ...data })
    await follow(trainer.run(context), context)
  })
}

async function grpo(file: string | undefined, flags: TrainFlags, context: Context): Promise<void> {
  const { config } = await resolve('grpo', file, flags)
  await withRewards(config.rewards, async (rewardFuncs) => {
    const data = await loadData(config.data, context)
    if (flags.dryRun) {
      const [{ GRPOTrainer }, { resolveObjective }] = await Promise.all([
        import('../../train/grpo-trainer.js'),
        import('../../train/advantages.js'),
      ])
      // The arguments are what it checks; the model is looked at when it runs.
      new GRPOTrainer({ model: undefined as never, rewardFuncs, args: config.args, trainDataset: data.trainDataset })
      resolveObjective(config.args)
      const { goldWarnings } = await import('../../train/gold-warning.js')
      const found = await checked(data, context)
      const progress = new TrainProgress(context.output)
      for (const warning of await goldWarnings(rewardFuncs, found.trainDataset)) progress.tell(warning)
      return dryRun('grpo', config, found, context)
    }
    const { GRPOTrainer } = await import('../../train/grpo-trainer.js')
    await withModel(config.model, context, async (model) => {
      const trainer = new GRPOTrainer({ model, rewardFuncs, args: config.args, ...data })
      await follow(trainer.run(context), context)
    })
  })
}

/** The configuration; a run that names no folder gets `runs/<name of the file>`. */
async function resolve<S extends Stage>(
  stage: S,
  file: string | undefined,
  flags: TrainFlags,
): Promise<ResolvedConfig<S>> {
  const overrides: Override[] = overridesOf(flags)
  if (flags.outputDir !== undefined) {
    overrides.push({ path: ['args', 'outputDir'], value: flags.outputDir, flag: `--output-dir ${flags.outputDir}` })
  }
  if (flags.resume !== undefined) {
    const value = flags.resume === 'never' ? false : flags.resume
    overrides.push({ path: ['args', 'resumeFromCheckpoint'], value, flag: `--resume ${flags.resume}` })
  }
  const resolved = await resolveConfig(stage, file, overrides)
  const name = file === undefined ? stage : basename(file, extname(file))
  needModel(resolved.config.model.path)
  resolved.config.args.outputDir ??= join('runs', name)
  return resolved
}

interface Data {
  trainDataset: Dataset
  evalDataset?: Dataset
}

async function loadData(options: Config<Stage>['data'], { output, signal }: Context): Promise<Data> {
  const { train, eval: evaluation, ...reading } = options
  const read = async (path: string): Promise<Dataset> => {
    const dataset = await loadDataset(path, { ...reading, signal })
    const [first] = dataset.skipped
    if (first !== undefined)
      output.say(`${path}: ${dataset.skipped.length} bad rows left out, the first ${first.source}: ${first.message}`)
    return dataset
  }
  const trainDataset = await read(train)
  return evaluation === undefined ? { trainDataset } : { trainDataset, evalDataset: await read(evaluation) }
}

async function withModel(
  { path, ...options }: Config<Stage>['model'],
  { output, signal }: Context,
  work: (model: import('../../model/model.js').VisionLanguageModel) => Promise<void>,
): Promise<void> {
  const { VisionLanguageModel } = await import('../../model/model.js')
  output.say(`loading ${path}`)
  const { dtype, ...pixels } = options
  const model = await VisionLanguageModel.fromPretrained(path, {
    ...pixels,
    ...(dtype === undefined ? {} : { dtype }),
    signal,
  })
  try {
    await work(model)
  } finally {
    await model.close()
  }
}

async function follow(events: AsyncIterable<TrainEvent>, { output, signal }: Context): Promise<void> {
  const progress = new TrainProgress(output)
  let checkpoint: string | undefined
  try {
    for await (const event of events) {
      if (event.type === 'checkpoint') checkpoint = event.path
      // A run that was finished before saves nothing.
      if (event.type === 'start') checkpoint = event.resumedFrom
      progress.tell(event)
    }
  } finally {
    if (signal.aborted && checkpoint !== undefined) output.say('the same command with --resume auto goes on from there')
  }
  if (checkpoint !== undefined) output.result(`${checkpoint}\n`)
}

/** The rows that a run could use: those whose answers are there and whose images can be read. */
async function checked(
  { trainDataset, evalDataset }: Data,
  { output, signal }: Context,
  answered = (dataset: Dataset) => dataset,
): Promise<Data> {
  const { withReadableImages } = await import('../../processor/check-images.js')
  const { leftOut } = await import('../../train/row-queue.js')
  const check = async (dataset: Dataset): Promise<Dataset> => {
    const good = await withReadableImages(answered(dataset), signal)
    const bad = good.skipped.slice(dataset.skipped.length)
    if (bad.length > 0) output.say(leftOut(bad))
    return good
  }
  return { trainDataset: await check(trainDataset), ...(evalDataset && { evalDataset: await check(evalDataset) }) }
}

/** Refuses what the run would refuse of its folder. Where there is none, none is made. */
async function refuseFolder({ outputDir, resumeFromCheckpoint }: Config<Stage>['args']): Promise<void> {
  if (outputDir === undefined || !existsSync(outputDir)) return
  await makeOutputFolder(outputDir)
  // Every run leaves one, and opening a folder without would make one.
  if (!existsSync(join(outputDir, 'run.lock'))) return
  const [{ RunFolder }, { refuseMixing }] = await Promise.all([
    import('../../train/run-folder.js'),
    import('../../train/checkpoints.js'),
  ])
  const folder = await RunFolder.open(outputDir)
  try {
    refuseMixing(folder, resumeFromCheckpoint)
  } finally {
    folder.close()
  }
}

/** Says what would run. The model folder is looked at, not loaded. */
async function dryRun(stage: Stage, config: Config<Stage>, data: Data, { output }: Context): Promise<void> {
  const { path } = config.model
  for (const name of ['config.json', 'tokenizer.json']) {
    if (!existsSync(join(path, name))) {
      throw new ColdstartError('E_MODEL', `${path}: no ${name}`, {
        hint: 'a model folder in the Hugging Face layout is needed',
      })
    }
  }
  await readPreprocessor(path)
  await refuseFolder(config.args)
  const summary = {
    stage,
    model: path,
    rows: data.trainDataset.length,
    skipped: data.trainDataset.skipped.length,
    evalRows: data.evalDataset?.length ?? 0,
    fingerprint: data.trainDataset.fingerprint,
    outputDir: config.args.outputDir,
  }
  output.event({ type: 'dry-run', ...summary })
  output.result(
    Object.entries(summary)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  )
}
