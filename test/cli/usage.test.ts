import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { eventsOf, runCli } from './run-cli.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const here = fileURLToPath(import.meta.url)
const commands = ['sft', 'grpo', 'eval', 'generate', 'study', 'report', 'doctor', 'config']

describe('the command line', () => {
  it('prints its version', async () => {
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('lists every command with --help, and explains each', async () => {
    const { code, stdout } = await runCli(['--help'])
    expect(code).toBe(0)
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
    for (const command of commands) {
      const help = await runCli([command, '--help'])
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining(`Usage: coldstart ${command}`) })
    }
  })

  it.each([
    [['stfu'], "unknown command 'stfu'"],
    [['sft', '--bogus'], "unknown option '--bogus'"],
    [['sft', 'a.yaml', 'b.yaml'], 'too many arguments'],
    [['study', '--seeds', '0'], 'Expected a number of at least 1'],
    [['study', '--seeds', '1.5'], 'Expected an integer'],
    [['generate', 'folder'], "required option '-p, --prompt <text>' not specified"],
    [['report'], "missing required argument 'folder'"],
    [['config', 'schema', 'grop'], 'did you mean grpo?'],
    [['eval', '--model', 'm', '--test', 'x', '--limit', '3'], '--limit with --test: it belongs to --benchmark'],
    [['sft', '--set', 'nonsense'], 'expected key.path=value'],
  ])('%j is a usage error: exit code 2, and a reason on stderr', async (words, reason) => {
    const { code, stdout, stderr } = await runCli(words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(reason)
  })

  it('without a command it prints its help and exits with 2', async () => {
    expect(await runCli([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: coldstart') })
  })

  it('with --json an error is an event on stdout too', async () => {
    const { code, stdout } = await runCli(['report', '/does/not/exist', '--json'])
    expect(code).toBe(3)
    expect(eventsOf(stdout)).toEqual([expect.objectContaining({ type: 'error', code: 'E_PATH' })])
    expect(eventsOf((await runCli(['--json'])).stdout)).toEqual([
      { type: 'error', code: 'E_USAGE', message: 'a command is needed' },
    ])
    const usage = await runCli(['sft', '--bogus', '--json'])
    expect(eventsOf(usage.stdout)).toEqual([{ type: 'error', code: 'E_USAGE', message: "unknown option '--bogus'" }])
  })
})

it.each(['sft', 'grpo', 'eval'])('%s --help says where paths start', async (command) => {
  const { stdout } = await runCli([command, '--help'])
  expect(stdout).toContain('Paths in a YAML file start from the working directory')
})

it.each([
  ['sft', ['--train', 'x.jsonl']],
  ['eval', ['--test', 'x.jsonl']],
  ['eval', ['--benchmark', 'mathvista', '--data', 'x']],
])('%s %j with the name of a published model says that nothing is downloaded', async (command, words) => {
  const { code, stderr } = await runCli([command, '--model', 'Qwen/Qwen2.5-VL-3B-Instruct', ...words])
  expect([code, stderr]).toEqual([3, expect.stringContaining('E_MODEL: Qwen/Qwen2.5-VL-3B-Instruct: no such folder')])
  expect(stderr).toContain('nothing is downloaded')
})

it.each([
  [['report', here], 'expected a folder, got a file'],
  [['report', 'nope'], 'nope: does not exist'],
  [['eval', 'score', here], 'expected a folder, got a file'],
  [['eval', 'compare', here, here], 'expected a folder, got a file'],
  [['study', '--quick', '--output-dir', here], 'a file is where the folder should be'],
])('%j is exit code 3 and says why in words', async (words, reason) => {
  const { code, stderr } = await runCli(words)
  expect([code, stderr]).toEqual([3, expect.stringContaining(reason)])
  expect(stderr).toMatch(/^coldstart: E_PATH: /)
  expect(stderr).not.toMatch(/E(NOTDIR|EXIST|NOENT)\b/)
})

describe('config', () => {
  const given = ['--model', 'm', '--set', 'data.train=t.jsonl']

  it('print shows every value with its source', async () => {
    const { code, stdout } = await runCli(['config', 'print', 'sft', ...given, '--set', 'args.maxSteps=7'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^args\.maxSteps: 7 +# flag$/m)
    expect(stdout).toMatch(/^args\.learningRate: 0\.00001 +# default$/m)
  })

  it('print shows no secret', async () => {
    const secret = 'hf_abcdefghijklmnopqrstuvwx'
    const { stdout } = await runCli(['config', 'print', 'sft', ...given, '--set', `args.systemMessage=${secret}`])
    expect(stdout).not.toContain(secret)
    expect(stdout).toMatch(/systemMessage: hf_…[0-9a-f]{8}/)
  })

  it.each(['sft', 'grpo', 'eval'])('schema %s is a JSON Schema that allows no unknown keys', async (name) => {
    const { stdout } = await runCli(['config', 'schema', name])
    // eval has two: of a benchmark, and of a data set.
    const schema = JSON.parse(stdout) as { anyOf?: object[] }
    for (const one of schema.anyOf ?? [schema])
      expect(one).toMatchObject({ type: 'object', additionalProperties: false })
  })
})

it.each([[['--json', 'doctor']], [['doctor', '--json']], [['--quiet', '--json', 'doctor']]])(
  'the flags of %j are read wherever they stand',
  async (words) => {
    const { stdout, stderr } = await runCli(words)
    expect(eventsOf(stdout)).toEqual([expect.objectContaining({ type: 'result', limits: expect.anything() })])
    expect(stderr).toBe('')
  },
)

it('doctor gives versions, processor, memory and limits', async () => {
  const { code, stdout } = await runCli(['doctor', '--json'])
  const [facts] = eventsOf(stdout)
  expect(facts).toMatchObject({ versions: { coldstart: version, node: process.versions.node }, memory: {}, limits: {} })
  expect(code).toBe('failure' in facts! ? 1 : 0)
  expect(facts).toMatchObject({
    rewards: { 'deadline in ms': 30_000, 'module, killed': 5000, 'module answer bytes': 2 ** 20 },
    grader: { steps: 200_000, 'answer bytes': 4096, 'integer bits': 4096 },
  })
  expect((await runCli(['doctor'])).stdout).toMatch(/^processor$/m)
})
