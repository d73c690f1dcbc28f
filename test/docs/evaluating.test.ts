import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { benchmarks } from '../../src/eval/benchmarks/index.js'
import { runCli } from '../cli/run-cli.js'
import { savedModel } from '../eval/fixtures/plain-data.js'
import { type JudgeServer, judgeServer, says } from '../support/judge-server.js'
import { picture, temporaryFolder } from '../support/tiny.js'
import { blocks, guide, shownCommands, tableRows, toldCommands } from './guide.js'
import { geometryResponses, wholeData } from './whole-data.js'

const text = guide('evaluating')
/** The guide's address of a judge. */
const address = 'http://127.0.0.1:8000/v1'
let folder: string
let judge: JudgeServer

beforeAll(async () => {
  folder = temporaryFolder()
  judge = await judgeServer(({ prompt }) => says(prompt.includes('your output should be Yes') ? 'No' : '0'))
  await savedModel(join(folder, 'model'))
  await wholeData('mathvista', join(folder, 'MathVista'))
  await wholeData('mathverse', join(folder, 'MathVerse'))
  await wholeData('geometry3k', join(folder, 'geometry3k'))
  geometryResponses(join(folder, 'base.jsonl'), 0.42, 1)
  geometryResponses(join(folder, 'trained.jsonl'), 0.45, 2)
  writeFileSync(join(folder, 'recorded.jsonl'), JSON.stringify({ id: '1', response: '15 cm' }))
  mkdirSync(join(folder, 'images'))
  writeFileSync(join(folder, 'images/a.png'), await picture('teal'))
  const question = { images: ['images/a.png'], problem: '<image> what is it ?', answer: 'teal' }
  writeFileSync(join(folder, 'questions.jsonl'), JSON.stringify(question))
  const yaml = blocks(text).find(({ language }) => language === 'yaml')
  writeFileSync(join(folder, 'mathverse.yaml'), yaml?.text.replace(address, judge.baseUrl) ?? '')
})
afterAll(async () => {
  await judge.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The guide's model is large, and answers whole benchmarks. */
function shortened(words: readonly string[]): string[] {
  const isBenchmark = words.includes('--benchmark') || words.includes('mathverse.yaml')
  const isModel = words.includes('--model') || words.includes('mathverse.yaml')
  const less = ['--set', 'benchmark.maxNewTokens=3', ...(words.includes('--limit') ? [] : ['--limit', '8'])]
  const here = words.map((word) => (word === address ? judge.baseUrl : word))
  return isBenchmark && isModel ? [...here, ...less] : here
}

describe('the guide to evaluating', () => {
  it('tells commands that run, one after the other', async () => {
    const told = toldCommands(text)
    expect(told.length).toBeGreaterThan(6)
    for (const words of told) {
      const { code, stderr } = await runCli(shortened(words), { cwd: folder })
      const faults = stderr.split('\n').filter((line) => line.startsWith('coldstart:') || line.startsWith('error:'))
      expect([words.join(' '), code, faults]).toEqual([words.join(' '), 0, []])
    }
    expect(judge.asked.length).toBeGreaterThan(8)
  })

  it('prints what it shows, in this order', async () => {
    const shown = shownCommands(text)
    expect(shown.length).toBeGreaterThan(2)
    for (const { words, output } of shown) {
      const { stdout, stderr } = await runCli(words, { cwd: folder })
      expect(`${words.join(' ')}\n${stdout}${stderr}`).toBe(`${words.join(' ')}\n${output}`)
    }
  })

  it('names the splits of every benchmark with their rows, the default first', () => {
    const splits = Object.values(benchmarks).map(({ name, splits }) => [
      name,
      Object.entries(splits)
        .map(([split, { rows }]) => `${split} ${rows.toLocaleString('en-US')}`)
        .join('; '),
    ])
    const hub = /^\w[\w-]*\/\w[\w-]*$/
    const told = tableRows(text).flatMap(([name, place, , rows]) => (hub.test(place ?? '') ? [[name, rows]] : []))
    expect(told).toEqual(splits)
  })

  it('names the options of every protocol', () => {
    const names: Record<string, string> = {
      MathVista: 'mathvista',
      MathVerse: 'mathverse',
      'MATH-Vision': 'mathvision',
      'We-Math': 'wemath',
      Geometry3K: 'geometry3k',
    }
    const presets = ['official', 'paper', 'vlmevalkit']
    let benchmark = ''
    const told = tableRows(text).flatMap((cells) => {
      const [name = '', preset = '', , , options = ''] = cells
      if (cells.length !== 5 || !presets.includes(preset)) return []
      benchmark = name === '' ? benchmark : (names[name] ?? name)
      return [[benchmark, preset, [...options.matchAll(/\w+/g)].map(([option]) => option)]]
    })
    const real = Object.values(benchmarks).flatMap(({ name, protocols }) =>
      presets.flatMap((preset) => {
        const protocol = protocols[preset as keyof typeof protocols]
        return protocol === undefined ? [] : [[name, preset, Object.keys(protocol.options)]]
      }),
    )
    expect(told).toEqual(real)
  })
})
