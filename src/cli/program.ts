/** Commands and their flags. What a command does is loaded when it is called, so that `--help` stays instant. */

import { Command, InvalidArgumentError, Option } from 'commander'
import { version } from '../version.js'
import type { Output } from './output.js'

/** What every command gets besides its own words. */
export interface Context {
  output: Output
  /** Aborted by the first signal that asks to end. */
  signal: AbortSignal
  /** Whether a signal has asked for a checkpoint since the last call. */
  saveRequested: () => boolean
}

/** The whole command line; parsing throws commander's errors instead of ending the process. */
export function buildProgram(context: Context): Command {
  const program = spoken(new Command('coldstart'))
    .description('Train multimodal reasoning models: supervised cold start, GRPO, evaluation.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .showHelpAfterError('(coldstart --help lists the commands; --help after a command explains it)')
    .exitOverride()

  training(command(program, 'sft', 'supervised fine-tuning on responses'), context, 'sft')
  training(command(program, 'grpo', 'reinforcement learning on rewards (GRPO)'), context, 'grpo')

  evaluation(configured(command(program, 'eval', 'measure a model: a benchmark, or a data set of yours')), context)

  command(program, 'generate', 'complete a prompt')
    .argument('<model>', 'model folder')
    .requiredOption('-p, --prompt <text>', 'what to ask; - reads it from standard input')
    .option('-i, --image <file>', 'image that goes before the text; may be repeated', collect, [])
    .option('--system <text>', 'system message')
    .option('--max-new-tokens <n>', 'longest completion in tokens', integer(1), 512)
    .option('--temperature <t>', '0 takes the likeliest token', number(0), 1)
    .option('--top-p <p>', 'keep the likeliest tokens up to this probability', number(0), 1)
    .option('--top-k <k>', 'keep this many tokens; 0 keeps all', integer(0), 0)
    .option('--min-p <p>', 'keep tokens this likely, relative to the likeliest', number(0), 0)
    .option('--seed <n>', 'same seed, same text', integer(0), 0)
    .addOption(new Option('--dtype <type>', 'numbers of the engine').choices(dtypes).default('float32'))
    .action(async (model, flags) => (await import('./commands/generate.js')).generateCommand(model, flags, context))

  command(program, 'grade', 'compare answers with gold answers, or lint the gold answers of a data set')
    .argument('<file>', 'JSON Lines of {gold, pred} or {gold, response}; - reads standard input')
    .addOption(
      new Option('--profile <name>', 'rules of comparison').choices(['mathruler', 'lenient']).default('mathruler'),
    )
    .option(
      '--lint',
      'check the gold answers (gold, answer or solution) instead; exit code 3 if any is at fault',
      false,
    )
    .addHelpText(
      'after',
      '\nOf a response the last \\boxed{} counts; without one, under lenient, what reads most like its answer. With --json, stdout has one object {"correct", "path", …} a row, in order.',
    )
    .action(async (file, flags) => (await import('./commands/grade.js')).gradeCommand(file, flags, context))

  command(program, 'study', 'the paper in miniature: train from nothing, compare four arms, write a report')
    .option('--seeds <n>', 'independent repetitions', integer(1), 1)
    .option('--output-dir <folder>', 'folder of the study', 'runs/miniature')
    .option('--quick', 'a few steps of everything, whose numbers mean nothing', false)
    .action(async (flags) => (await import('./commands/study.js')).studyCommand(flags, context))

  command(program, 'report', 'write report.html for the folder of a run, a study or a benchmark')
    .argument('<folder>', 'folder of a run, a study or a benchmark')
    .action(async (folder) => (await import('./commands/report.js')).reportCommand(folder, context))

  command(program, 'doctor', 'versions, processor, memory and limits, for a bug report').action(async () =>
    (await import('./commands/doctor.js')).doctorCommand(context),
  )

  const config = command(program, 'config', 'show what a configuration means, or may contain')
  configured(command(config, 'print', 'every value and where it comes from'), true).action(async (name, file, flags) =>
    (await import('./commands/config.js')).printCommand(name, file, flags, context),
  )
  command(config, 'schema', 'JSON Schema of a configuration file')
    .argument('<command>', 'sft, grpo or eval')
    .action(async (name) => (await import('./commands/config.js')).schemaCommand(name, context))
  return program
}

const dtypes = ['float32', 'bfloat16', 'float64']

function command(parent: Command, name: string, description: string): Command {
  return spoken(parent.command(name)).description(description).exitOverride().allowExcessArguments(false)
}

/** Adds the flags that `run` reads wherever they stand, before the command or after it. */
function spoken(base: Command): Command {
  return base.option('--json', 'one JSON object a line on stdout').option('-q, --quiet', 'no progress')
}

const pathsHelp =
  '\nPaths in a YAML file start from the working directory; those of images in data, from data.imageRoot.'

function configured(base: Command, named = false): Command {
  if (named) base.argument('<command>', 'sft, grpo or eval')
  return base
    .argument('[config]', 'YAML file')
    .option('--model <folder>', 'model folder; same as --set model.path=…')
    .option('--set <key=value>', 'set one value of the configuration; may be repeated', collect, [])
}

function training(base: Command, context: Context, stage: 'sft' | 'grpo'): void {
  configured(base)
    .option('--train <file>', 'rows to train on; same as --set data.train=…')
    .option('--output-dir <folder>', 'folder of the run; default runs/<name of the config>')
    .option('--resume <what>', 'auto, the folder of a checkpoint, or never')
    .addHelpText('after', pathsHelp)
    .option('--dry-run', 'check configuration, data, image headers and rewards; train nothing', false)
    .action(async (file, flags) => (await import('./commands/train.js')).trainCommand(stage, file, flags, context))
}

const presets = ['official', 'paper', 'vlmevalkit']

function evaluation(base: Command, context: Context): void {
  base
    // As in the program, so that flags after score and compare are theirs, also those that eval has too.
    .enablePositionalOptions()
    .option('--benchmark <name>', 'mathvista, mathverse, mathvision, wemath or geometry3k')
    .option('--data <path>', 'with --benchmark: data file, or folder in a published layout')
    .option('--split <name>', "with --benchmark; default: the benchmark's first")
    .addOption(new Option('--preset <name>', 'with --benchmark: whose protocol; default official').choices(presets))
    .option('--responses <file>', 'with --benchmark: JSON lines {id, response} in place of a model')
    .option('--judge <who>', 'with --benchmark: rules (default), none, or the address of an endpoint')
    .option('--judge-model <name>', 'model to ask for at the endpoint')
    .option('--judge-max-calls <n>', 'calls at most of this command; required above 1000', integer(1))
    .option('--limit <n>', 'with --benchmark: answer the first n rows only', integer(1))
    .option('--partial', 'with --benchmark: the data is a part of the split')
    .option('--test <file>', 'without --benchmark: rows to answer; same as --set data.test=…')
    .option('--output-dir <folder>', 'folder of the evaluation; a benchmark that is there goes on')
    .addHelpText('after', evaluationHelp)
    .action(async (file, flags) => (await import('./commands/eval.js')).evalCommand(file, flags, context))
  command(base, 'score', 'score the responses of an evaluation folder again, without a model')
    .argument('<folder>', 'folder of a benchmark run')
    .argument('[config]', 'YAML file, as of eval: what it says of the judge')
    .option('--judge <who>', 'rules, none, or the address of an endpoint; default: the last one, by its stored replies')
    .option('--judge-model <name>', 'model to ask for; without --judge only its stored replies are used')
    .option('--judge-max-calls <n>', 'calls at most of this command; required above 1000', integer(1))
    .option(
      '--set <key=value>',
      'set benchmark.judgeApiKeyEnv or another key of the judge; may be repeated',
      collect,
      [],
    )
    .action(async (folder, file, flags) =>
      (await import('./commands/eval-score.js')).scoreCommand(folder, file, flags, context),
    )
  command(base, 'compare', 'compare two evaluations of the same protocol row by row')
    .argument('<first>', 'folder of a benchmark run')
    .argument('<second>', 'folder of another')
    .option('--incomplete', 'also where more than 1 % of the rows of one have no verdict', false)
    .action(async (a, b, flags) => (await import('./commands/eval-compare.js')).compareCommand(a, b, flags, context))
}

const evaluationHelp = `
A benchmark is read, checked, answered, scored and reported in one folder, and goes on where it was stopped:
  coldstart eval --benchmark mathvista --data MathVista --model runs/grpo/model
  coldstart eval --benchmark mathverse --data MathVerse --model m --judge http://127.0.0.1:8000/v1 --judge-model Qwen2.5-32B-Instruct
  coldstart eval score runs/mathverse-official-m
  coldstart eval compare runs/mathvista-official-base runs/mathvista-official-trained
The same as YAML stands under benchmark: in a file (coldstart config schema eval); --set benchmark.key=value sets the rest.
Paths in a YAML file start from the working directory.`

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value]
}

function number(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least) {
      throw new InvalidArgumentError(`Expected a number of at least ${least}.`)
    }
    return value
  }
}

function integer(least: number): (text: string) => number {
  return (text) => {
    const value = number(least)(text)
    if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected an integer.')
    return value
  }
}
