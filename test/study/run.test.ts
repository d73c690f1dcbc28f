import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/load.js'
import { VisionLanguageModel } from '../../src/model/model.js'
import { writeReport } from '../../src/report/index.js'
import { ARMS, runStudy, type StudyEvent, type StudyResult } from '../../src/study/index.js'
import { QUICK } from '../../src/study/recipe.js'

let root: string
let folder: string
let study: StudyResult
const events: StudyEvent[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'study-'))
  folder = join(root, 'two-seeds')
  study = await runStudy({ quick: true, seeds: 2, outputDir: folder, onEvent: (event) => events.push(event) })
}, 120_000)

afterAll(async () => {
  await rm(root, { recursive: true })
})

const of = <T extends StudyEvent['type']>(type: T) =>
  events.filter((event): event is Extract<StudyEvent, { type: T }> => event.type === type)

describe('runStudy', () => {
  it('judges every arm of every seed on the same held-out images', () => {
    expect(study.arms.map(({ arm }) => arm)).toEqual(['base', 'rl', 'sft', 'sft+rl'])
    for (const { accuracy, n, ci95, perSeed } of study.arms) {
      expect(perSeed).toHaveLength(2)
      expect(n).toBe(2 * QUICK.heldOut)
      expect(ci95[0]).toBeLessThanOrEqual(accuracy)
      expect(ci95[1]).toBeGreaterThanOrEqual(accuracy)
    }
  })

  it('counts seconds and tokens of every stage', () => {
    expect(study.stages.map(({ name }) => name)).toEqual(['data', ...ARMS])
    for (const { seconds, tokens, perSeed } of study.stages.slice(1)) {
      expect(perSeed).toHaveLength(2)
      expect(seconds).toBeGreaterThan(0)
      expect(tokens).toBe(perSeed.reduce((sum, seed) => sum + seed.tokens, 0))
      expect(tokens).toBeGreaterThan(0)
    }
  })

  it('keeps a value of every step', () => {
    const lengths = Object.fromEntries(
      study.curves.filter(({ seed }) => seed === 1).map(({ stage, values }) => [stage, values.length]),
    )
    expect(lengths).toEqual({
      base: QUICK.baseSteps,
      rl: QUICK.rlAloneSteps,
      sft: QUICK.coldStartSteps,
      'sft+rl': QUICK.rlSteps,
    })
    expect(study.curves.flatMap(({ values }) => values).every(Number.isFinite)).toBe(true)
  })

  it('trains the seeds apart', () => {
    const losses = (seed: number) => study.curves.find((curve) => curve.seed === seed && curve.stage === 'base')?.values
    expect(losses(0)).not.toEqual(losses(1))
  })

  it('writes what it returns, and a report that can be written again from it', async () => {
    expect(JSON.parse(await readFile(join(folder, 'study.json'), 'utf8'))).toEqual(study)
    const page = await readFile(join(folder, 'report.html'), 'utf8')
    expect(page.match(/<img /g)).toHaveLength(QUICK.heldOut)
    await writeReport(folder)
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(page)
  })

  it('tells stages in order, and steps with their speed and the time left', () => {
    expect(of('stage').map(({ seed, stage }) => `${seed} ${stage}`)).toEqual(
      [0, 1].flatMap((seed) => ARMS.map((arm) => `${seed} ${arm}`)),
    )
    expect(of('stage').map(({ index, stages }) => [index, stages])).toEqual(
      Array.from({ length: 8 }, (_, i) => [i + 1, 8]),
    )
    for (const step of of('step')) {
      expect(step.tokensPerSecond).toBeGreaterThan(0)
      expect(step.secondsLeft).toBeGreaterThanOrEqual(0)
      expect(step.loss === undefined).toBe(step.reward !== undefined)
    }
    expect(of('arm')).toHaveLength(8)
    expect(of('data').at(-1)).toMatchObject({ done: of('data')[0]?.total })
    expect(events.at(-1)?.type).toBe('end')
  })

  it('leaves a model, a run and answers of every stage', async () => {
    const sets = await loadDataset(join(folder, 'data/held-out-3.jsonl'))
    for (const stage of ['base', 'rl', 'sft', 'sft-rl']) {
      const answers = (await readFile(join(folder, 'seed-1', stage, 'answers-sums.jsonl'), 'utf8')).trim().split('\n')
      expect(answers).toHaveLength(sets.length)
      expect((await readFile(join(folder, 'seed-1', stage, 'metrics.jsonl'), 'utf8')).length).toBeGreaterThan(0)
    }
    const model = await VisionLanguageModel.fromPretrained(join(folder, 'seed-1/sft-rl/model'))
    expect(model.numParameters().total).toBe(study.parameters)
    await model.close()
  })

  it('gives the same numbers again from the same seeds, also over the folder of an earlier study', async () => {
    const again = await runStudy({ quick: true, seeds: 2, outputDir: folder })
    const numbers = ({ arms, curves, samples, data, gain }: StudyResult) => ({ arms, curves, samples, data, gain })
    expect(numbers(again)).toEqual(numbers(study))
  })

  it('stops when it is told to, with the reason', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const running = runStudy({
      quick: true,
      outputDir: join(root, 'stopped'),
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'step') stop.abort(reason)
      },
    })
    await expect(running).rejects.toBe(reason)
  })

  it('leaves a folder alone that holds anything else', async () => {
    const mine = join(root, 'mine')
    await mkdir(mine)
    await writeFile(join(mine, 'notes.txt'), 'keep')
    await expect(runStudy({ quick: true, outputDir: mine })).rejects.toMatchObject({ code: 'E_CONFIG' })
    expect(await readFile(join(mine, 'notes.txt'), 'utf8')).toBe('keep')
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses %d seeds', async (seeds) => {
    await expect(runStudy({ seeds, quick: true, outputDir: join(root, 'none') })).rejects.toMatchObject({
      code: 'E_CONFIG',
    })
  })
})
