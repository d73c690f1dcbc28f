// The files of an evaluation folder: what is written stays, what is half written goes, what is foreign is refused.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DataLine, ResponseLine, RunFacts } from '../../src/eval/run/types.js'
import { EvaluationFolder, readEvaluation, readReport } from '../../src/eval/store.js'
import { temporaryFolder } from '../support/tiny.js'

let root: string
beforeAll(() => {
  root = temporaryFolder()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const facts: RunFacts = {
  format: 1,
  coldstart: '0.0.0',
  protocol: { benchmark: 'mathvista', preset: 'official', version: '1', options: {} },
  sampling: { temperature: 0, maxNewTokens: 4, seed: 0 },
  pixels: null,
  answers: { kind: 'model', path: 'm', fingerprint: 'aa', dtype: 'float32' },
  dataset: {
    path: 'd',
    from: { data: '../d', imageRoot: null },
    split: 'testmini',
    fingerprint: 'bb',
    images: 'cc',
    revision: null,
    rows: 3,
    published: 3,
    answered: 3,
  },
}
const data: DataLine[] = ['1', '2', '3'].map((id) => ({ id, source: `d:${id}`, gold: id, groups: {}, fields: {} }))
const line = (id: string, response = `r${id}\n“x”`): ResponseLine => ({
  id,
  promptHash: 'dd',
  response,
  finishReason: 'stop',
  promptTokens: 3,
  tokens: 2,
  seconds: 0.5,
})

/** A folder with a run begun in it, closed after some work. */
async function within<T>(name: string, work: (folder: EvaluationFolder) => Promise<T>): Promise<T> {
  const folder = await EvaluationFolder.open(join(root, name))
  try {
    return await work(folder)
  } finally {
    await folder.close()
  }
}

describe('EvaluationFolder', () => {
  it('gives back what was appended, in the order of appending, also when nobody waited', async () => {
    await within('order', async (folder) => {
      expect(await folder.resume(facts)).toEqual([])
      await folder.begin(facts, data)
      await Promise.all(['3', '1', '2'].map((id) => folder.append(line(id))))
      const text = readFileSync(join(folder.path, 'rows.jsonl'), 'utf8')
      expect(text.split('\n').map((part) => (part === '' ? '' : JSON.parse(part).id))).toEqual(['3', '1', '2', ''])
    })
    expect(await within('order', (folder) => folder.resume(facts))).toEqual(['3', '1', '2'].map((id) => line(id)))
    expect(await readEvaluation(join(root, 'order'))).toEqual({
      facts,
      data,
      responses: ['3', '1', '2'].map((id) => line(id)),
    })
  })

  it('a response is in the file when its promise resolves', async () => {
    await within('durable', async (folder) => {
      await folder.begin(facts, data)
      for (const id of ['1', '2']) {
        await folder.append(line(id))
        expect(readFileSync(join(folder.path, 'rows.jsonl'), 'utf8')).toContain(`"id":"${id}"`)
      }
    })
  })

  it('passes over an unfinished last line, whatever byte it ends at, keeps every whole one and goes on behind it', async () => {
    const whole = `${JSON.stringify(line('1'))}\n`
    const torn = Buffer.from(`${JSON.stringify(line('2'))}\n`)
    for (let length = 0; length <= torn.length; length += 1) {
      const responses = await within('cut', async (folder) => {
        await folder.begin(facts, data)
        writeFileSync(join(folder.path, 'rows.jsonl'), Buffer.concat([Buffer.from(whole), torn.subarray(0, length)]))
        const responses = await folder.resume(facts)
        await folder.append(line('3'))
        return responses
      })
      const kept = length === torn.length ? ['1', '2'] : ['1']
      expect(responses.map(({ id }) => id)).toEqual(kept)
      const text = [...kept, '3'].map((id) => `${JSON.stringify(line(id))}\n`).join('')
      expect(readFileSync(join(root, 'cut', 'rows.jsonl'), 'utf8')).toBe(text)
    }
  })

  it('a reader without the lock does not change a line that is still being written', async () => {
    const path = join(root, 'reader')
    await within('reader', (folder) => folder.begin(facts, data))
    writeFileSync(join(path, 'rows.jsonl'), `${JSON.stringify(line('1'))}\n{"id":"2`)
    expect((await readEvaluation(path)).responses).toHaveLength(1)
    expect(readFileSync(join(path, 'rows.jsonl'), 'utf8')).toMatch(/"2$/)
  })

  it('refuses a run that differs, naming each difference, but not another path or version', async () => {
    const other: RunFacts = {
      ...facts,
      protocol: { ...facts.protocol, options: { cot: true } },
      pixels: { minPixels: 1, maxPixels: 2 },
    }
    await within('differs', async (folder) => {
      await folder.begin(facts, data)
      await folder.append(line('1'))
      await expect(folder.resume(other)).rejects.toMatchObject({
        code: 'E_CKPT_MISMATCH',
        message: expect.stringMatching(
          /: pixels: null then, nothing now; .*protocol\.options\.cot: nothing then, true now/,
        ),
      })
      const moved = {
        ...facts,
        coldstart: '9.9.9',
        dataset: { ...facts.dataset, path: 'elsewhere', from: { data: '..', imageRoot: 'x' } },
      }
      expect(await folder.resume(moved)).toEqual([line('1')])
      await folder.begin(moved, data)
      expect((await readEvaluation(folder.path)).facts).toEqual(facts)
    })
  })

  it('tells other images only when they are known', async () => {
    await within('images', async (folder) => {
      await folder.begin(facts, data)
      await folder.append(line('1'))
      const images = { ...facts, dataset: { ...facts.dataset, images: 'ee' } }
      expect(await folder.resume(images)).toEqual([line('1')])
      await expect(folder.begin(images, data)).rejects.toMatchObject({ code: 'E_CKPT_MISMATCH' })
    })
  })

  it('a run without a response makes way for one with other settings', async () => {
    const other = { ...facts, pixels: { minPixels: 1, maxPixels: 2 } }
    await within('fresh', async (folder) => {
      await folder.begin(facts, data)
      expect(await folder.resume(other)).toEqual([])
      await folder.begin(other, data)
      expect((await readEvaluation(folder.path)).facts).toEqual(other)
    })
  })

  it('leaves the folder of a training run alone', async () => {
    const path = join(root, 'training')
    mkdirSync(path)
    writeFileSync(join(path, 'run.json'), '{"stage":"sft"}')
    await within('training', (folder) =>
      expect(folder.begin(facts, data)).rejects.toMatchObject({ code: 'E_CKPT_MISMATCH' }),
    )
    expect(existsSync(join(path, 'data.jsonl'))).toBe(false)
  })

  it.each(['null', '[]', '3', '{"format":1,"protocol":null}', '{"format":1,"protocol":{},"answers":{}}'])(
    'a run.json of %s is not that of a benchmark run, and is left alone',
    async (text) => {
      const path = join(root, `run.json ${text.length}`)
      mkdirSync(path)
      writeFileSync(join(path, 'run.json'), text)
      await within(`run.json ${text.length}`, (folder) =>
        expect(folder.resume(facts)).rejects.toMatchObject({ code: 'E_CKPT_MISMATCH' }),
      )
      await expect(readEvaluation(path)).rejects.toMatchObject({ code: 'E_CKPT_MISMATCH' })
    },
  )

  it('a report.json of null is E_CKPT_CORRUPT', async () => {
    await within('null report', async ({ path }) => {
      writeFileSync(join(path, 'report.json'), 'null')
      await expect(readReport(path)).rejects.toMatchObject({ code: 'E_CKPT_CORRUPT' })
    })
  })

  it.each([
    ['rows.jsonl', { id: '2' }, /rows\.jsonl:2: promptHash: expected a text or null, got nothing/],
    ['rows.jsonl', { ...line('2'), response: 3 }, /rows\.jsonl:2: response: expected a text or null, got 3/],
    [
      'rows.jsonl',
      { ...line('2'), finishReason: 'end' },
      /rows\.jsonl:2: finishReason: expected "stop", "length" or null/,
    ],
    ['rows.jsonl', { ...line('2'), tokens: -1 }, /rows\.jsonl:2: tokens: expected a number of at least 0/],
    ['rows.jsonl', [], /rows\.jsonl:2: expected an object, got/],
    ['data.jsonl', { ...data[1], groups: null }, /data\.jsonl:2: groups: expected an object, got null/],
  ])('a line of %s that is %j is E_CKPT_CORRUPT, naming line and field', async (file, bad, message) => {
    const name = `fields ${String(message)}`.replaceAll('/', '')
    await within(name, async (folder) => {
      await folder.begin(facts, data)
      await folder.append(line('1'))
    })
    const path = join(root, name, file)
    const [first] = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, `${first}\n${JSON.stringify(bad)}\n`)
    const expected = { code: 'E_CKPT_CORRUPT', message: expect.stringMatching(message) }
    await expect(readEvaluation(join(root, name))).rejects.toMatchObject(expected)
    if (file === 'rows.jsonl') {
      await within(name, (folder) => expect(folder.resume(facts)).rejects.toMatchObject(expected))
    }
  })

  it('a full disk is E_CKPT_SAVE for that line and every later one', async () => {
    await within('full', async (folder) => {
      await folder.begin(facts, data)
      symlinkSync('/dev/full', join(folder.path, 'rows.jsonl'))
      const both = await Promise.allSettled([folder.append(line('1')), folder.append(line('2'))])
      for (const result of both) {
        expect(result).toMatchObject({ reason: { code: 'E_CKPT_SAVE', message: expect.stringContaining('ENOSPC') } })
      }
    })
  })

  it('a path that cannot be a folder is E_PATH', async () => {
    writeFileSync(join(root, 'file'), '')
    await expect(EvaluationFolder.open(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'E_PATH' })
  })
})
