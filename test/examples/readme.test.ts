// The README's program, and the syntax of every program that README and guides show.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { VisionLanguageModel } from '../../src/index.js'
import { blocks } from '../docs/guide.js'
import { temporaryFolder, tinyModel } from '../support/tiny.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const programs = (page: string) =>
  blocks(readFileSync(join(root, page), 'utf8')).flatMap(({ language, text }) => (language === 'js' ? [text] : []))
const guides = readdirSync(join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)

it.each(['README.md', ...guides])('%s shows programs that this Node parses', (page) => {
  const folder = temporaryFolder()
  programs(page).forEach((program, index) => {
    const file = join(folder, `${index}.mjs`)
    writeFileSync(file, program)
    expect(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr).toBe('')
  })
})

it('the program of the README trains a model and saves it', async () => {
  const [program = ''] = programs('README.md')
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'coldstart'))
  await using model = await tinyModel()
  await model.savePretrained(join(folder, 'Qwen2.5-VL-3B-Instruct'))
  for (const name of ['cold-start.jsonl', 'questions.jsonl']) {
    writeFileSync(join(folder, name), '{"problem":"what is it ?","answer":"red"}\n'.repeat(8))
  }
  // As written but for the sizes of the reinforcement learning, whose defaults are those of a real model.
  const small = "args: { promptsPerStep: 4, numGenerations: 2, maxCompletionLength: 4, outputDir: 'runs/rl' }"
  expect(program).toContain("args: { outputDir: 'runs/rl' }")
  writeFileSync(join(folder, 'program.mjs'), program.replace("args: { outputDir: 'runs/rl' }", small))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toBe('1 0\n2 0\n')
  await using trained = await VisionLanguageModel.fromPretrained(join(folder, 'my-model'))
  expect(trained.numParameters().total).toBe(model.numParameters().total)
})
