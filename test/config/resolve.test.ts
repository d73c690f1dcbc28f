import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseSet, resolveConfig } from '../../src/config/resolve.js'
import type { ConfigCommand } from '../../src/config/schemas.js'
import { ColdstartError } from '../../src/errors.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(text: string): string {
  const file = join(folder, 'run.yaml')
  writeFileSync(file, text)
  return file
}

const complete = 'model: { path: m }\ndata: { train: t.jsonl }\n'

async function faults(text: string, sets: string[] = [], command: ConfigCommand = 'sft'): Promise<string> {
  const error: unknown = await resolveConfig(command, write(text), sets.map(parseSet)).catch(
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ColdstartError)
  expect((error as ColdstartError).code).toBe('E_CONFIG')
  return (error as ColdstartError).message.replaceAll(`${folder}/`, '')
}

describe('resolveConfig', () => {
  it('fills in defaults, and takes flags before the file', async () => {
    const file = write(`${complete}args: { seed: 1, maxSteps: 5 }\n`)
    const { config } = await resolveConfig('sft', file, [parseSet('args.seed=2')])
    expect(config.args).toMatchObject({ seed: 2, maxSteps: 5, learningRate: 1e-5 })
    expect(config.data.badRows).toBe('strict')
  })

  it('knows the source of every value', async () => {
    const file = write(`${complete}args:\n  seed: \${env:S}\n  maxSteps: 5\n  maxGradNorm: \${env:CLIP}\n`)
    const environment = { S: 'x', CLIP: '2' }
    const { sourceOf } = await resolveConfig('sft', file, [parseSet('args.seed=2')], environment)
    expect(['seed', 'maxSteps', 'maxGradNorm', 'weightDecay'].map((name) => sourceOf(['args', name]))).toEqual([
      'flag',
      'file',
      'env CLIP',
      'default',
    ])
  })

  it('works without a file', async () => {
    const { config } = await resolveConfig('sft', undefined, [parseSet('model.path=m'), parseSet('data.train=t')])
    expect(config.model.path).toBe('m')
  })

  it('an unknown key is refused with its place and the nearest known one', async () => {
    expect(await faults(`${complete}args:\n  learningrat: 1\n`)).toBe(
      'run.yaml:4:3: unknown key args.learningrat; did you mean learningRate?',
    )
  })

  it('a snake_case key is refused with its camelCase name', async () => {
    expect(await faults(`${complete}args:\n  max_grad_norm: 1\n`)).toBe(
      'run.yaml:4:3: unknown key args.max_grad_norm; keys are camelCase here: maxGradNorm',
    )
  })

  it('an option of another command is refused', async () => {
    expect(await faults(`${complete}rewards: [exactBoxed]\n`)).toContain('unknown key rewards')
    await expect(resolveConfig('grpo', write(`${complete}rewards: [exactBoxed]\n`))).resolves.toBeDefined()
  })

  it('merge keys and __proto__ are unknown keys', async () => {
    expect(await faults(`${complete}__proto__: { a: 1 }\n`)).toContain('unknown key __proto__')
    expect(await faults(`x: &x { seed: 1 }\n${complete}args: { <<: *x }\n`)).toContain('unknown key args.<<')
  })

  it('a wrong value names its place, what was expected and what came', async () => {
    expect(await faults(`${complete}args:\n  learningRate: fast\n`)).toBe(
      'run.yaml:4:17: args.learningRate: expected number, got "fast"',
    )
    expect(await faults(`${complete}args: { minLrRatio: 0.1, lrSchedulerType: constant }\n`)).toBe(
      'run.yaml:3:21: args.minLrRatio: has no effect: lrSchedulerType constant ends at its peak',
    )
    expect(await faults(`${complete}args: { maxGradNorm: 1e999 }\n`)).toContain('args.maxGradNorm')
  })

  it('what the environment holds is not repeated', async () => {
    const file = write(`${complete}args: { learningRate: '\${env:RATE}' }\n`)
    const error: unknown = await resolveConfig('sft', file, [], { RATE: 'very-secret' }).catch((reason) => reason)
    expect((error as Error).message).toMatch(/args\.learningRate: expected number, got the value of RATE$/)
  })

  it('all faults are listed, those of flags by their flag', async () => {
    const message = await faults('data: {}\n', ['args.seed=-1', 'args.sed=1'])
    expect(message.split('\n')).toHaveLength(5)
    expect(message).toContain('model: missing (object)')
    expect(message).toContain('data.train: missing (string)')
    expect(message).toMatch(/--set args\.seed=-1: args\.seed: /)
    expect(message).toContain('--set args.sed=1: unknown key args.sed; did you mean seed?')
  })

  it('a file that does not exist is E_PATH', async () => {
    await expect(resolveConfig('sft', join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'E_PATH' })
  })
})

describe('parseSet', () => {
  it('reads values as YAML does', () => {
    const values = ['1e-5', 'true', 'null', 'text', '"1"', '[a, 2]', '{k: v}', 'Think: first', ''].map(
      (text) => parseSet(`a.b=${text}`).value,
    )
    expect(values).toEqual([1e-5, true, null, 'text', '1', ['a', 2], { k: 'v' }, 'Think: first', ''])
  })

  it('keeps everything after the first equals sign', () => {
    expect(parseSet('a=b=c')).toMatchObject({ path: ['a'], value: 'b=c' })
  })

  it.each(['a', '=1', 'a..b=1', '.a=1'])('refuses %j', (text) => {
    expect(() => parseSet(text)).toThrow(/expected key\.path=value/)
  })
})
