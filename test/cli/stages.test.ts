// The stages as people run them: a configuration file, the compiled command line, a real model of a few thousand parameters.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { colourRows, temporaryFolder, tinyModel } from '../support/tiny.js'
import { eventsOf, heard, runCli, startCli } from './run-cli.js'

let folder: string

beforeAll(async () => {
  folder = temporaryFolder()
  const model = await tinyModel()
  await model.savePretrained(join(folder, 'model'))
  await model.close()
  mkdirSync(join(folder, 'images'))
  const rows = await colourRows()
  for (const row of rows) writeFileSync(join(folder, 'images', `${row.answer}.png`), row.images[0]!)
  const lines = rows.map(({ problem, answer }) => JSON.stringify({ images: [`${answer}.png`], problem, answer }))
  writeFileSync(join(folder, 'rows.jsonl'), lines.join('\n'))
  writeFileSync(join(folder, 'bad.jsonl'), [...lines, '{"problem": 3}'].join('\n'))
  writeFileSync(
    join(folder, 'reward.mjs'),
    'export const brevity = ({ completions }) => completions.map((text) => -text.length)',
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const data = (name: string): string => `{ ${name}: rows.jsonl, imageRoot: images }`

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

function sftConfig(name: string, args: string): string {
  const fixed = 'perDeviceTrainBatchSize: 5, systemMessage: false, learningRate: 1e-3'
  return write(`${name}.yaml`, `model: { path: model }\ndata: ${data('train')}\nargs: { ${fixed}, ${args} }\n`)
}

const cli = (words: string[]) => runCli(words, { cwd: folder })
const metricsOf = (run: string): string[] =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')

describe('coldstart sft', () => {
  it('trains as the file says, writes the run, and prints the checkpoint on stdout', async () => {
    const { code, stdout, stderr } = await cli(['sft', sftConfig('plain', 'maxSteps: 3')])
    expect(stderr).toMatch(/sft 3\/3 · loss /)
    expect(code).toBe(0)
    expect(stdout).toBe(`${join('runs', 'plain', 'checkpoints', 'step-000003')}\n`)
    expect(existsSync(join(folder, stdout.trim()))).toBe(true)
    expect(metricsOf('runs/plain')).toHaveLength(3)
    expect(existsSync(join(folder, 'runs/plain/config.resolved.yaml'))).toBe(true)
  })

  it('with --json tells every event on stdout', async () => {
    const words = ['sft', sftConfig('json', 'maxSteps: 2'), '--output-dir', 'runs/events', '--json', '--quiet']
    const { code, stdout, stderr } = await cli(words)
    expect([code, stderr]).toEqual([0, ''])
    expect(eventsOf(stdout).map((event) => event.type)).toEqual(['start', 'step', 'step', 'checkpoint', 'end'])
  })

  it('with --dry-run checks everything and writes nothing', async () => {
    const config = sftConfig('dry', 'maxSteps: 2')
    const { code, stdout } = await cli(['sft', config, '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^rows: 10$/m)
    expect(existsSync(join(folder, 'runs/dry'))).toBe(false)
    expect((await cli(['sft', config, '--dry-run', '--model', 'images'])).code).toBe(3)
  })

  it('with --dry-run finds rows without an answer and images that are none', async () => {
    const rows = ['{"problem": "x"}', '{"images": ["none.png"], "problem": "x", "answer": "y"}']
    writeFileSync(join(folder, 'images', 'none.png'), 'no picture')
    writeFileSync(join(folder, 'poor.jsonl'), [readFileSync(join(folder, 'rows.jsonl'), 'utf8'), ...rows].join('\n'))
    const words = ['sft', sftConfig('poor', 'maxSteps: 2'), '--dry-run', '--train', 'poor.jsonl']
    expect(await cli(words)).toMatchObject({ code: 3, stderr: expect.stringContaining('poor.jsonl:11: no assistant') })
    const { code, stdout } = await cli([...words, '--set', 'data.badRows=skip'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^rows: 10\nskipped: 2$/m)])
  })

  it('SIGUSR2 saves a checkpoint and the run goes on', async () => {
    const run = startCli(['sft', sftConfig('usr2', 'maxSteps: 100000'), '--json'], { cwd: folder })
    await heard(run, '"step":2')
    run.child.kill('SIGUSR2')
    // And a step after it: a run ended before that has nothing new to save.
    await heard(run, /"type":"checkpoint"(.|\n)*"type":"step"/)
    run.child.kill('SIGTERM')
    const { code, stdout } = await run.ended
    expect(code).toBe(143)
    expect(eventsOf(stdout).filter((event) => event.type === 'checkpoint')).toHaveLength(2)
  })

  it('bad rows stop it with exit code 3 and their lines, or are counted with badRows: skip', async () => {
    const words = ['sft', sftConfig('bad', 'maxSteps: 1'), '--train', 'bad.jsonl']
    expect(await cli(words)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('bad.jsonl:11: problem: expected a string'),
    })
    const skipped = await cli([...words, '--set', 'data.badRows=skip'])
    expect(skipped).toMatchObject({ code: 0, stderr: expect.stringContaining('1 bad rows left out') })
  })

  it('a run that was finished before prints its newest checkpoint again', async () => {
    const words = ['sft', sftConfig('finished', 'maxSteps: 1'), '--resume', 'auto', '--quiet']
    const first = await cli(words)
    expect(first.stdout).toBe(`${join('runs', 'finished', 'checkpoints', 'step-000001')}\n`)
    expect((await cli(words)).stdout.trim()).toBe(first.stdout.trim())
  })

  it('does not mix a new run with an old one', async () => {
    const config = sftConfig('twice', 'maxSteps: 1')
    expect((await cli(['sft', config])).code).toBe(0)
    const { code, stderr } = await cli(['sft', config])
    expect(code).toBe(2)
    expect(stderr).toContain('already holds a run')
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s ends it with exit code %i after a checkpoint, from which --resume auto goes on',
    async (signal, exit) => {
      const config = sftConfig(signal, 'maxSteps: 100000')
      const run = startCli(['sft', config, '--json'], { cwd: folder })
      await heard(run, '"step":3')
      run.child.kill(signal)
      const { code, stdout } = await run.ended
      expect(code).toBe(exit)
      const events = eventsOf(stdout)
      const steps = events.filter((event) => event.type === 'step').length
      expect(events.slice(-3)).toMatchObject([
        { type: 'checkpoint', step: steps },
        { type: 'end', reason: 'aborted' },
        { type: 'interrupted', signal },
      ])
      const again = startCli(['sft', config, '--json', '--resume', 'auto'], { cwd: folder })
      await heard(again, `"step":${steps + 2}`)
      again.child.kill('SIGTERM')
      const [start, first] = eventsOf((await again.ended).stdout)
      expect(start).toMatchObject({ type: 'start', step: steps })
      expect(first).toMatchObject({ type: 'step', step: steps + 1 })
    },
  )

  it('ends quietly with 0 when nobody reads its output any more', async () => {
    const words = ['sft', sftConfig('pipe', 'maxSteps: 100000'), '--json', '--quiet']
    const run = startCli(words, { cwd: folder })
    await heard(run, '"step":1')
    run.child.stdout?.destroy()
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('coldstart grpo', () => {
  const config = (rewards: string): string =>
    `model: { path: model }\ndata: ${data('train')}\nrewards: ${rewards}\nargs: { maxSteps: 2, promptsPerStep: 2, numGenerations: 2, maxCompletionLength: 4, systemMessage: false }\n`

  it('trains on the rewards of a module, under the name of its function', async () => {
    const { code, stdout } = await cli(['grpo', write('rl.yaml', config('[./reward.mjs, exactBoxed]')), '--json'])
    expect(code).toBe(0)
    const steps = eventsOf(stdout).filter((event) => event.type === 'step')
    expect(steps).toHaveLength(2)
    expect(Object.keys(steps[0]!.metrics as object)).toEqual(
      expect.arrayContaining(['reward/brevity', 'reward/exactBoxed']),
    )
  })

  it('with --dry-run warns of gold answers that the rewards would misjudge', async () => {
    writeFileSync(join(folder, 'golds.jsonl'), '{"problem": "x"}\n{"problem": "x", "answer": "7"}')
    const words = ['grpo', write('golds.yaml', config('[accuracy]')), '--dry-run', '--train', 'golds.jsonl']
    expect(await cli(words)).toMatchObject({ code: 0, stderr: expect.stringContaining('1 of 2 gold answers fail') })
  })

  it('an unknown reward is refused before anything is loaded', async () => {
    const words = ['grpo', write('unknown.yaml', config('[exactBoxd]')), '--model', 'nowhere']
    expect(await cli(words)).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean exactBoxed?') })
  })
})

describe('coldstart eval', () => {
  it('prints the accuracy with its interval, and writes every response', async () => {
    write(
      'right.mjs',
      'export default ({ completions, answers }) => completions.map((text, i) => Number(text === answers[i]))',
    )
    const file = write(
      'eval.yaml',
      `model: { path: model }\ndata: ${data('test')}\nscore: ./right.mjs\ngenerate: { maxNewTokens: 3, systemMessage: false }\n`,
    )
    const { code, stdout } = await cli(['eval', file, '--output-dir', 'results'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^accuracy \d+\.\d % \(95 % interval \d+\.\d % to \d+\.\d %\): \d+ of 10 right/)
    const responses = eventsOf(readFileSync(join(folder, 'results/responses.jsonl'), 'utf8'))
    expect(responses.map((row) => row.id)).toEqual(Array.from({ length: 10 }, (_, i) => String(i)))
    expect(JSON.parse(readFileSync(join(folder, 'results/eval.json'), 'utf8'))).toMatchObject({ n: 10 })
  })
})

describe('the folder of an evaluation of rows of your own', () => {
  const evaluate = (output: string, ...more: string[]) =>
    cli([
      ...['eval', '--model', 'model', '--test', 'rows.jsonl', '--set', 'data.imageRoot=images', '--output-dir', output],
      ...['--set', 'generate.maxNewTokens=2', '--set', 'generate.systemMessage=false', ...more],
    ])

  it('is a folder: anything else is exit code 3 before the model is loaded', async () => {
    writeFileSync(join(folder, 'file1'), 'mine')
    const { code, stderr } = await evaluate('file1')
    expect(code).toBe(3)
    expect(stderr).toContain('E_PATH: outputDir: file1: a file is where the folder should be')
    expect(stderr).not.toContain('loading')
  })

  it('says what it is of, and only the same evaluation takes its place', async () => {
    expect((await evaluate('own')).code).toBe(0)
    const read = () => JSON.parse(readFileSync(join(folder, 'own/eval.json'), 'utf8')) as object
    expect(read()).toMatchObject({
      n: 10,
      of: {
        answers: { path: 'model', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
        dataset: { path: 'rows.jsonl', fingerprint: expect.any(String) },
        score: 'accuracy',
        generate: { maxNewTokens: 2, seed: 0 },
      },
    })
    expect((await evaluate('own')).code).toBe(0)
    const other = await evaluate('own', '--set', 'generate.seed=1')
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('E_CONFIG: outputDir: own already holds') })
    expect(other.stderr).toContain('generate.seed: 0 then, 1 now')
    expect(read()).toMatchObject({ of: { generate: { seed: 0 } } })
  })

  it.each([
    ['a training run', 'metrics.jsonl', ''],
    ['an evaluation of a benchmark', 'run.json', '{"protocol": {"benchmark": "mathvista"}}'],
    ['a study', 'study.json', '{}'],
    ['an eval.json that does not say what it is of', 'eval.json', '{"n": 1}'],
  ])('is not one that holds %s', async (what, name, text) => {
    const output = `holds-${name}`
    mkdirSync(join(folder, output))
    writeFileSync(join(folder, output, name), text)
    const { code, stderr } = await evaluate(output)
    expect([code, stderr]).toEqual([2, expect.stringContaining(`outputDir: ${output} already holds ${what}`)])
    expect(readFileSync(join(folder, output, name), 'utf8')).toBe(text)
  })
})

it('with --quiet, --json has the result of an evaluation and no progress', async () => {
  const words = ['eval', '--model', 'model', '--test', 'rows.jsonl', '--set', 'data.imageRoot=images']
  const { stdout } = await cli([...words, '--set', 'generate.maxNewTokens=2', '--json', '--quiet'])
  expect(eventsOf(stdout).map(({ type }) => type)).toEqual(['result'])
})

describe('--dry-run refuses what the run refuses at once', () => {
  it.each([
    ['args.epsilon=-1', 'epsilon'],
    ['args.rewardWeights=[1,2]', 'rewardWeights: expected 1 numbers'],
    ['args.stepsPerGeneration=1000', 'stepsPerGeneration'],
  ])('%s', async (set, reason) => {
    const words = ['grpo', '--model', 'model', '--train', 'rows.jsonl', '--set', 'data.imageRoot=images']
    const { code, stderr } = await cli([...words, '--set', set, '--dry-run'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(reason)])
  })

  it('a folder that holds a run, and a file in its place; it writes into neither', async () => {
    const config = sftConfig('dry-folder', 'maxSteps: 1')
    expect((await cli(['sft', config])).code).toBe(0)
    const again = await cli(['sft', config, '--dry-run'])
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('already holds a run') })
    expect((await cli(['sft', config, '--dry-run', '--resume', 'auto'])).code).toBe(0)
    expect((await cli(['sft', config, '--dry-run', '--output-dir', 'rows.jsonl'])).code).toBe(3)
    mkdirSync(join(folder, 'empty'))
    expect((await cli(['sft', config, '--dry-run', '--output-dir', 'empty'])).code).toBe(0)
    expect(readdirSync(join(folder, 'empty'))).toEqual([])
  })
})

describe('coldstart generate', () => {
  const words = ['generate', 'model', '--prompt', 'what is it ?', '--image', 'images/red.png', '--max-new-tokens', '5']

  it('prints one completion, the same for the same seed', async () => {
    const [first, second] = [await cli([...words, '--seed', '1']), await cli([...words, '--seed', '1'])]
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/\n$/)
    expect(second.stdout).toBe(first.stdout)
  })

  it('with --json gives the pieces, the last with the reason it ended', async () => {
    const { stdout } = await cli([...words, '--json'])
    expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'chunk', finishReason: expect.stringMatching(/stop|length/) })
  })

  it('a folder that is no model is exit code 3', async () => {
    expect((await cli(['generate', 'images', '--prompt', 'x'])).code).toBe(3)
  })
})

it('coldstart report writes the page of a run and prints its path', async () => {
  const { code, stdout } = await cli(['report', 'runs/plain'])
  expect(code).toBe(0)
  expect(readFileSync(join(folder, stdout.trim()), 'utf8')).toMatch(/<!doctype html>/i)
})
