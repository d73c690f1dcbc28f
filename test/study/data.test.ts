import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/load.js'
import { isBoxed } from '../../src/reward/boxed.js'
import { prepareData } from '../../src/study/data.js'
import { findDigits } from '../../src/study/digits.js'
import { QUICK } from '../../src/study/recipe.js'
import { dataSets, setNames } from '../../src/study/sets.js'

let folder: string
const source = await findDigits()
const prepare = (seeds = 1, scale = QUICK) => prepareData(folder, source, dataSets(scale, seeds))
const lines = async (name: string) =>
  (await readFile(join(folder, `${name}.jsonl`), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { images?: string[]; problem: string; answer: string })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'study-data-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

describe('prepareData', () => {
  it('writes sets that load, with an image of 28 x 28 pixels a digit', async () => {
    const data = await prepare()
    const dataset = await loadDataset(data.path(setNames.coldStart(0)))
    expect(dataset.length).toBe(QUICK.coldStart)
    for (const { images = [], answer } of await lines(setNames.coldStart(0))) {
      const digits = /^the digits are ([\d ,]+) \./.exec(answer)?.[1]?.split(' , ') ?? []
      const { width, height } = await sharp(join(folder, images[0] as string)).metadata()
      expect([width, height]).toEqual([28 * digits.length, 28])
    }
  })

  it('teaches the base model to read and to compute, never to add up an image', async () => {
    await prepare()
    const rows = await lines(setNames.base)
    const [images, texts] = [rows.filter((row) => row.images), rows.filter((row) => !row.images)]
    expect([images.length, texts.length]).toEqual([QUICK.reading, QUICK.reading])
    expect(new Set(images.map((row) => row.problem))).toEqual(new Set(['read the digits ?']))
    expect(rows.some((row) => row.answer.includes('boxed'))).toBe(false)
  })

  it('asks the table for the sums of the very images that the base model is asked to read', async () => {
    await prepare()
    const sums = await lines(setNames.heldOut(3))
    const readings = await lines(setNames.heldOutReading)
    for (const [i, { answer }] of sums.entries()) {
      const digits = readings[i]?.answer.split(' ').map(Number) ?? []
      expect(digits.reduce((total, digit) => total + digit, 0)).toBe(Number(answer))
      expect(isBoxed(`\\boxed{${answer}}`, answer)).toBe(true)
    }
    const bytes = (name: string) => readFile(join(folder, name, '00001.png'))
    expect(await bytes(setNames.heldOut(3))).toEqual(await bytes(setNames.heldOutReading))
  })

  it('gives each seed a cold start of its own', async () => {
    await prepare(2)
    expect(await lines(setNames.coldStart(0))).not.toEqual(await lines(setNames.coldStart(1)))
  })

  it('gives the same digest anywhere, and another one for other sizes', async () => {
    const first = await prepare()
    await rm(folder, { recursive: true })
    expect((await prepare()).sha256).toBe(first.sha256)
    expect((await prepare(1, { ...QUICK, sums: QUICK.sums + 1 })).sha256).not.toBe(first.sha256)
  })

  it('leaves what is there and whole alone', async () => {
    await prepare()
    const file = join(folder, setNames.sums, '00001.png')
    const before = await stat(file)
    await prepare()
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs)
  })

  it.each(['a changed byte', 'a missing image', 'a missing list', 'a damaged manifest'])('mends %s', async (damage) => {
    const { sha256 } = await prepare()
    const file = join(folder, setNames.sums, '00002.png')
    const good = await readFile(file)
    const bad = Uint8Array.from(good)
    bad[bad.length >> 1]! ^= 1
    if (damage === 'a changed byte') await writeFile(file, bad)
    if (damage === 'a missing image') await rm(file)
    if (damage === 'a missing list') await rm(join(folder, `${setNames.sums}.jsonl`))
    if (damage === 'a damaged manifest') await writeFile(join(folder, 'manifest.json'), '{"sets":')
    expect((await prepare()).sha256).toBe(sha256)
    expect(await readFile(file)).toEqual(good)
  })

  it('reports progress up to the whole, and stops when it is told to', async () => {
    const sets = dataSets(QUICK, 1)
    const total = sets.reduce((sum, set) => sum + set.size, 0)
    const seen: number[] = []
    await prepareData(folder, source, sets, { onProgress: (_, done, all) => seen.push(done, all) })
    expect(seen.at(-2)).toBe(total)
    expect(new Set(seen.filter((_, i) => i % 2 === 1))).toEqual(new Set([total]))
    const reason = new Error('enough')
    await expect(prepareData(folder, source, sets, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
