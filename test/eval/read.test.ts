// Published files as they come: several formats, shards, images inside and beside them.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { compressors } from 'hyparquet-compressors'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { PathResolver } from '../../src/data/paths.js'
import { locateSplit } from '../../src/eval/read/locate.js'
import { readParquet } from '../../src/eval/read/parquet.js'
import { readSplit } from '../../src/eval/read/split.js'
import type { Benchmark, RowImage } from '../../src/eval/types.js'
import { picture, temporaryFolder } from '../support/tiny.js'
import { binary, double, image, int64, list, struct, text, writeParquet } from './fixtures/parquet.js'
import { plainBenchmark } from './fixtures/plain-benchmark.js'

/** The collector, without a flag of the command line. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

let root: string
let red: Buffer
beforeAll(async () => {
  root = temporaryFolder()
  red = await picture('red')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const types = { id: text, question: text, answer: text, kind: text, image }
const row = (id: number) => ({ id: String(id), question: `what is ${id} ?`, answer: `${id}`, kind: 'plain' })
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ ...row(from + i), image: { bytes: red, path: `${from + i}.png` } }))

/** A folder of its own with files in it. */
function folder(name: string, files: Readonly<Record<string, string>> = {}): string {
  const path = join(root, name)
  mkdirSync(path, { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true })
    writeFileSync(join(path, file), content)
  }
  return path
}

describe('which files hold a split', () => {
  it('a file is taken as it is, whatever its name', async () => {
    const path = join(folder('one', { 'mine.jsonl': '' }), 'mine.jsonl')
    expect(await locateSplit(path, 'testmini')).toEqual({ format: 'jsonl', files: [path], root: join(root, 'one') })
  })

  it('shards are taken in their order, parquet before JSON, from the folder or its data folder', async () => {
    const path = folder('sharded', {
      'testmini.json': '[]',
      'data/testmini-00001-of-00002.parquet': '',
      'data/testmini-00000-of-00002-0123456789abcdef.parquet': '',
      'data/testmini_text_only-00000-of-00001.parquet': '',
      'data/test-00000-of-00001.parquet': '',
    })
    expect(await locateSplit(path, 'testmini')).toEqual({
      format: 'parquet',
      files: ['testmini-00000-of-00002-0123456789abcdef.parquet', 'testmini-00001-of-00002.parquet'].map((file) =>
        join(path, 'data', file),
      ),
      root: path,
    })
    expect((await locateSplit(path, 'testmini_text_only')).files).toHaveLength(1)
  })

  it.each([
    ['a shard is missing', { 'test-00001-of-00003.parquet': '', 'test-00002-of-00003.parquet': '' }, /shards 0 of 3/],
    ['two sets of files', { 'test.parquet': '', 'test-00000-of-00001.parquet': '' }, /more than one set/],
  ])('%s: refused', async (name, files, message) => {
    await expect(locateSplit(folder(name, files), 'test')).rejects.toMatchObject({
      code: 'E_DATA_FORMAT',
      message: expect.stringMatching(message),
    })
  })

  it('nothing for the split is E_PATH, naming what is there', async () => {
    const path = folder('other', { 'test.parquet': '' })
    await expect(locateSplit(path, 'testmini')).rejects.toMatchObject({
      code: 'E_PATH',
      hint: 'found test.parquet; give the file itself',
    })
    await expect(locateSplit(join(root, 'nowhere'), 'test')).rejects.toMatchObject({ code: 'E_PATH' })
  })
})

describe('parquet', () => {
  const paths = () => new PathResolver(root, false)

  it('bytes stay bytes, text is text, numbers and lists are plain data', async () => {
    const path = join(root, 'nested.parquet')
    const metadata = struct({ skills: list(text), height: int64 })
    writeParquet(path, { id: text, precision: double, choices: list(text), level: int64, metadata, image }, [
      {
        id: 'é',
        precision: 2,
        choices: ['a', 'b'],
        level: 3n,
        metadata: { skills: ['x'], height: 2n ** 60n },
        image: { bytes: red, path: 'a.png' },
      },
      { id: 'b', metadata: { skills: [], height: null } },
    ])
    const [first, second] = await readParquet(path, ['image'], paths())
    expect(first).toMatchObject({
      source: `${path}[0]`,
      values: {
        id: 'é',
        precision: 2,
        choices: ['a', 'b'],
        level: 3,
        metadata: { skills: ['x'], height: '1152921504606846976' },
      },
    })
    const { source, read } = first!.values.image as RowImage
    expect(source).toBe(`${path}[0] image`)
    expect(Buffer.from((await read()) as Uint8Array).equals(red)).toBe(true)
    expect(second!.values).toEqual({
      id: 'b',
      precision: null,
      choices: null,
      level: null,
      metadata: { skills: [], height: null },
      image: null,
    })
  })

  it('a text column whose writer did not mark it as text is text all the same; bytes that are none are refused', async () => {
    const path = join(root, 'unmarked.parquet')
    writeParquet(path, { id: binary }, [{ id: Buffer.from('é') }])
    expect((await readParquet(path, ['image'], paths()))[0]!.values.id).toBe('é')
    writeParquet(path, { id: binary }, [{ id: Buffer.from([0xff]) }])
    await expect(readParquet(path, ['image'], paths())).rejects.toMatchObject({
      code: 'E_DATA_FORMAT',
      message: expect.stringContaining('unmarked.parquet[0] id: bytes that are no text'),
    })
  })

  it('lists of images keep their order; a path without bytes is a file under the root', async () => {
    const path = join(root, 'list.parquet')
    writeFileSync(join(root, 'beside.png'), red)
    writeParquet(path, { images: list(image) }, [
      {
        images: [
          { bytes: red, path: null },
          { bytes: null, path: 'beside.png' },
        ],
      },
      { images: [] },
    ])
    const [first, second] = await readParquet(path, ['images'], paths())
    const images = first!.values.images as RowImage[]
    expect(images.map(({ source }) => source)).toEqual([`${path}[0] images[0]`, `${path}[0] images[1]`])
    expect(Buffer.from((await images[0]!.read()) as Uint8Array).equals(red)).toBe(true)
    expect(await images[1]!.read()).toMatch(/beside\.png$/)
    expect(second!.values.images).toEqual([])
  })

  it('reads every row of several row groups, in any order of asking for images', async () => {
    const path = join(root, 'groups.parquet')
    const pictures = await Promise.all([5, 6, 7, 8, 9].map((width) => picture('blue', width, width)))
    const data = pictures.map((bytes, i) => ({ ...row(i), image: { bytes, path: '' } }))
    writeParquet(path, types, data, 2)
    const records = await readParquet(path, ['image'], paths())
    expect(records.map(({ values }) => values.id)).toEqual(['0', '1', '2', '3', '4'])
    for (const i of [4, 0, 2, 1, 3]) {
      const bytes = await (records[i]!.values.image as RowImage).read()
      expect(Buffer.from(bytes as Uint8Array).equals(pictures[i]!)).toBe(true)
    }
  })

  it('holds no image after reading, neither of a struct nor of a list', async () => {
    const path = join(root, 'large.parquet')
    const noise = Array.from({ length: 40 }, () => randomBytes(256 * 1024))
    const rows = noise.map((bytes, i) => ({ id: `${i}`, one: { bytes, path: '' }, many: [{ bytes, path: '' }] }))
    writeParquet(path, { id: text, one: image, many: list(image) }, rows, 10)
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    const records = await readParquet(path, ['one', 'many'], paths())
    // The collector frees buffers on a thread of its own.
    await vi.waitFor(() => {
      collectGarbage()
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1024 * 1024)
    }, 10_000)
    const bytes = await (records[39]!.values.many as RowImage[])[0]!.read()
    expect(Buffer.from(bytes as Uint8Array).equals(noise[39]!)).toBe(true)
  })

  it('has a decoder for every codec of published files', () => {
    expect(Object.keys(compressors)).toEqual(expect.arrayContaining(['SNAPPY', 'GZIP', 'ZSTD', 'BROTLI', 'LZ4_RAW']))
  })

  it('a page that cannot be unpacked names the file and how it is compressed', async () => {
    const path = join(root, 'damaged.parquet')
    writeParquet(path, { id: text }, [{ id: 'a'.repeat(1000) }])
    const bytes = readFileSync(path)
    // The first page; what the file says of itself stands at its end.
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 20), Buffer.alloc(20, 0xff), bytes.subarray(40)]))
    await expect(readParquet(path, ['image'], paths())).rejects.toMatchObject({
      code: 'E_DATA_FORMAT',
      message: expect.stringContaining('damaged.parquet: not a readable parquet file (compression SNAPPY): '),
    })
  })

  it('a file that is none, or only a part of one, is E_DATA_FORMAT with its name', async () => {
    const whole = join(root, 'whole.parquet')
    writeParquet(whole, types, rows(0, 3))
    for (const [name, content] of [
      ['empty.parquet', Buffer.alloc(0)],
      ['noise.parquet', Buffer.from('PAR1 this is not a parquet file PAR1')],
      ['cut.parquet', readFileSync(whole).subarray(0, -40)],
    ] as const) {
      writeFileSync(join(root, name), content)
      await expect(readParquet(join(root, name), ['image'], paths())).rejects.toMatchObject({
        code: 'E_DATA_FORMAT',
        message: expect.stringContaining(name),
      })
    }
  })
})

describe('a split', () => {
  const benchmark = plainBenchmark(4)
  const jsonRows = (extra: object = {}) =>
    Array.from({ length: 4 }, (_, i) => ({ ...row(i), image: 'a.png', ...extra }))

  it('gives the same rows and fingerprint from parquet shards, JSON lines, an array and an object of rows', async () => {
    const shards = folder('shards')
    writeParquet(join(shards, 'testmini-00000-of-00002.parquet'), types, rows(0, 3))
    writeParquet(join(shards, 'testmini-00001-of-00002.parquet'), types, rows(3, 4))
    const lines = jsonRows().map((line) => `${JSON.stringify(line)}\n`)
    const sources = [
      shards,
      folder('lines', { 'testmini.jsonl': lines.join('') }),
      folder('array', { 'data/testmini.json': JSON.stringify(jsonRows()) }),
      // Keys that are no integers: JavaScript would sort those.
      folder('object', {
        'testmini.json': JSON.stringify(Object.fromEntries(jsonRows().map((line) => [`p${line.id}`, line]))),
      }),
    ]
    const read = await Promise.all(sources.map((path) => readSplit(benchmark, { path })))
    for (const data of read) {
      expect(data.rows.map(({ id, gold }) => [id, gold])).toEqual([0, 1, 2, 3].map((i) => [`${i}`, `${i}`]))
      expect(data.fingerprint).toBe(read[0]!.fingerprint)
    }
    const other = jsonRows()
    other[2]!.answer = '7'
    const changed = await readSplit(benchmark, { path: folder('changed', { 'testmini.json': JSON.stringify(other) }) })
    expect(changed.fingerprint).not.toBe(read[0]!.fingerprint)
  })

  it.each([
    ['another number of rows', jsonRows().slice(1), 'E_DATA_FORMAT', /3 rows; split testmini of mathvista has 4/],
    ['a missing column', jsonRows({ answer: undefined }), 'E_DATA_FORMAT', /\[0\]: no column answer/],
    ['no image column', jsonRows({ image: undefined }), 'E_DATA_FORMAT', /\[0\]: no column decoded or image/],
    ['a repeated id', jsonRows({ id: 'x' }), 'E_DATA_ROW', /\[1\]: the id "x" is that of .*\[0\] too/],
  ] as const)('%s is refused, naming file and row', async (name, data, code, message) => {
    const path = folder(`bad ${name}`, { 'testmini.json': JSON.stringify(data) })
    await expect(readSplit(benchmark, { path })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  it('takes what a companion beside the rows says of them, where there is one', async () => {
    const tagged: Benchmark = {
      ...benchmark,
      companion: {
        file: 'tags.json',
        add: (rows, tags) =>
          rows.map((row) => ({ ...row, groups: { ...row.groups, tag: (tags as string[])[+row.id]! } })),
      },
    }
    const tagsOf = async (files: Record<string, string>) => {
      const path = folder(`companion ${Object.keys(files).length}`, files)
      return (await readSplit(tagged, { path })).rows.map(({ groups }) => groups.tag)
    }
    const data = { 'data/testmini.json': JSON.stringify(jsonRows()) }
    expect(await tagsOf(data)).toEqual([undefined, undefined, undefined, undefined])
    expect(await tagsOf({ ...data, 'tags.json': '["a","b","c","d"]' })).toEqual(['a', 'b', 'c', 'd'])
    await expect(tagsOf({ ...data, 'tags.json': '["a"', 'more.txt': '' })).rejects.toMatchObject({
      code: 'E_DATA_FORMAT',
      message: expect.stringContaining('tags.json'),
    })
  })

  it('a part of it is taken when that is said', async () => {
    const path = folder('part', { 'testmini.json': JSON.stringify(jsonRows().slice(1)) })
    expect((await readSplit(benchmark, { path, partial: true })).rows).toHaveLength(3)
  })

  it('an unknown split is E_CONFIG with the nearest name', async () => {
    await expect(readSplit(benchmark, { path: root, split: 'testmin' })).rejects.toMatchObject({
      code: 'E_CONFIG',
      hint: 'did you mean testmini?',
    })
  })

  it('bad JSON names the file and the place', async () => {
    for (const [file, content, message] of [
      ['testmini.json', '[{"id": 1},]', /testmini\.json:1:12/],
      ['testmini.json', '"text"', /expected an array or an object of rows/],
      ['testmini.json', '[3]', /\[0\]: expected an object/],
      ['testmini.jsonl', '{"id": 1}\n{"id": 1, "id": 2}\n', /testmini\.jsonl:2: the key "id" is given twice/],
    ] as const) {
      const path = folder(`json ${message.source.length}`, { [file]: content })
      await expect(readSplit(benchmark, { path })).rejects.toMatchObject({
        code: 'E_DATA_FORMAT',
        message: expect.stringMatching(message),
      })
    }
  })

  it('knows the commit of a download from the hub cache', async () => {
    const commit = 'a'.repeat(40)
    const path = folder(`hub/snapshots/${commit}`, { 'testmini.json': JSON.stringify(jsonRows()) })
    expect((await readSplit(benchmark, { path })).revision).toBe(commit)
    symlinkSync(path, join(root, 'linked'))
    expect((await readSplit(benchmark, { path: join(root, 'linked') })).revision).toBe(commit)
    expect((await readSplit(benchmark, { path: join(root, 'part'), partial: true })).revision).toBeNull()
  })

  it.each([
    ['outside by name', '../secret.png', /"\.\." in a path/],
    ['absolute', '/etc/passwd', /absolute path in data/],
    ['a URL', 'https://example.org/a.png', /images are never fetched/],
    ['outside by a link', 'link.png', /a link leaves the image root/],
    ['nothing', 'missing.png', /no such file/],
  ])('an image path that is %s is refused when it is read, naming the row', async (name, image, message) => {
    const path = folder(`path ${name}`, { 'testmini.json': JSON.stringify(jsonRows({ image })) })
    writeFileSync(join(root, 'secret.png'), red)
    if (name === 'outside by a link') symlinkSync(join(root, 'secret.png'), join(path, 'link.png'))
    const { rows } = await readSplit(benchmark, { path })
    await expect(rows[1]!.images[0]!.read()).rejects.toMatchObject({ message: expect.stringMatching(message) })
    await expect(rows[1]!.images[0]!.read()).rejects.toMatchObject({
      message: expect.stringContaining('testmini.json[1] image: '),
    })
  })

  it('image paths start from imageRoot where one is given', async () => {
    const path = folder('rooted', { 'testmini.json': JSON.stringify(jsonRows()) })
    const imageRoot = folder('pictures')
    writeFileSync(join(imageRoot, 'a.png'), red)
    const { rows } = await readSplit(benchmark, { path, imageRoot })
    expect(await rows[0]!.images[0]!.read()).toMatch(/pictures\/a\.png$/)
  })

  it('is not read when the signal is aborted', async () => {
    const reason = new Error('enough')
    const reading = readSplit(benchmark, { path: join(root, 'lines'), signal: AbortSignal.abort(reason) })
    await expect(reading).rejects.toBe(reason)
  })
})
