import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rewardByName } from '../../src/reward/by-name.js'
import { grade, gradeBatch } from '../../src/reward/grade.js'
import { runCli } from '../cli/run-cli.js'
import { savedModel } from '../eval/fixtures/plain-data.js'
import { picture, temporaryFolder } from '../support/tiny.js'
import { blocks, guide, shownCommands, tableRows, toldCommands } from './guide.js'

const text = guide('grading')
let folder: string

beforeAll(async () => {
  folder = temporaryFolder()
  for (const { file, text: content } of blocks(text)) if (file) writeFileSync(join(folder, file), content)
  await savedModel(join(folder, 'model'))
  mkdirSync(join(folder, 'images'))
  writeFileSync(join(folder, 'images/a.png'), await picture('teal'))
  const question = { images: ['images/a.png'], problem: '<image> what is it ?', answer: 'teal' }
  writeFileSync(join(folder, 'questions.jsonl'), JSON.stringify(question))
  writeFileSync(
    join(folder, 'rewards.js'),
    'export const brevity = ({ completionTokens }) => completionTokens.map(() => 0)',
  )
  const yaml = blocks(text).find(({ language }) => language === 'yaml')
  writeFileSync(join(folder, 'grpo.yaml'), yaml?.text ?? '')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `4,992 of 5,000`. */
async function agreementOf(name: string): Promise<string> {
  const path = new URL(`../fixtures/goldens/grading/${name}.jsonl`, import.meta.url)
  const pairs = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  const items = pairs.map(({ pred = '', gold = '' }) => ({ given: pred, gold }))
  const verdicts = await gradeBatch(items, { profile: 'lenient' })
  const same = pairs.filter(({ math_verify }, i) => String(math_verify) === String(verdicts[i]?.correct)).length
  return [same, pairs.length].map((count) => count.toLocaleString('en-US')).join(' of ')
}

describe('the guide to grading', () => {
  const verdicts = tableRows(text).filter((cells) => ['right', 'wrong'].includes(cells[2] ?? ''))

  it.each(verdicts)('gold %s, given %s: mathruler %s, lenient %s', (gold, given, ...expected) => {
    const word = (profile: 'mathruler' | 'lenient') =>
      grade(given as string, gold as string, { profile }).correct ? 'right' : 'wrong'
    expect([word('mathruler'), word('lenient')]).toEqual(expected.slice(0, 2))
  })

  it('counts the agreement with recorded verdicts of math-verify', async () => {
    const agreement = await Promise.all(['pairs', 'generated'].map(agreementOf))
    const told = /`lenient` agrees on ([\d,]+ of [\d,]+) .* and on ([\d,]+ of [\d,]+) /.exec(text)?.slice(1)
    expect(told).toEqual(agreement)
  })

  it('has its tables of verdicts', () => {
    expect(verdicts.length).toBeGreaterThan(90)
  })

  it.each(shownCommands(text))('prints what it shows: $words', async ({ words, output }) => {
    const { stdout, stderr } = await runCli(words, { cwd: folder })
    // Another version of the grader may take other steps to the same verdict.
    const withoutSteps = (said: string) => said.replace(/"steps":\d+/g, '"steps":…')
    expect(withoutSteps(stdout + (words.includes('--quiet') ? '' : stderr))).toBe(withoutSteps(output))
  })

  it('tells commands that run', async () => {
    const told = toldCommands(text)
    expect(told.length).toBeGreaterThan(0)
    for (const words of told) {
      const { code, stderr } = await runCli(words, { cwd: folder })
      expect([words.join(' '), code, stderr]).toEqual([words.join(' '), 0, ''])
    }
  })

  it('names every reward of configurations, and no other', async () => {
    const named = tableRows(text).flatMap(([name, value]) => (/Reward|exactBoxed/.test(value ?? '') ? [name] : []))
    const refusal = await rewardByName('none of them').catch((error: Error) => error.message)
    const builtIn = /built in: (.*?);/.exec(String(refusal))?.[1]?.split(', ')
    expect(named.sort()).toEqual(builtIn?.sort())
  })
})
