import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ColdstartError, type DatasetLike, type LoadDatasetOptions, loadDataset } from '../../src/index.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-data-'))
  writeFileSync(join(folder, 'a.png'), 'png')
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function failure(
  content: string | Uint8Array,
  name = 'bad.jsonl',
  options?: LoadDatasetOptions,
): Promise<ColdstartError> {
  const error: unknown = await loadDataset(write(name, content), options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ColdstartError)
  return error as ColdstartError
}

const good = '{"problem": "q", "answer": "1"}'

describe('JSON Lines files', () => {
  it('byte order mark, CRLF, blank lines and a missing last newline change nothing', async () => {
    const plain = await loadDataset(write('plain.jsonl', `${good}\n${good}\n`))
    const odd = await loadDataset(write('odd.jsonl', `\ufeff${good}\r\n\r\n  \n${good}`))
    expect([...odd].map((row) => row.messages)).toEqual([...plain].map((row) => row.messages))
    expect([...odd].map((row) => row.source)).toEqual([
      `${join(folder, 'odd.jsonl')}:1`,
      `${join(folder, 'odd.jsonl')}:4`,
    ])
  })

  it('images are found beside the file, or under imageRoot', async () => {
    const line = '{"problem": "q", "images": ["a.png"]}'
    const row = (await loadDataset(write('with-image.jsonl', line))).row(0)
    expect(row.messages[0]!.content[0]).toMatchObject({ type: 'image', image: expect.stringMatching(/a\.png$/) })
    const elsewhere = loadDataset(write('with-image.jsonl', line), { imageRoot: tmpdir() })
    await expect(elsewhere).rejects.toMatchObject({ code: 'E_PATH' })
  })

  it('a syntax error names file, line, column and byte', async () => {
    const { code, message } = await failure(`${good}\n{"é": 1,}\n`)
    expect(code).toBe('E_DATA_FORMAT')
    // 31 bytes and a newline before it; é is two bytes and one column.
    expect(message).toContain('bad.jsonl:2: expected a quoted key, found "}" (column 9, byte 41)')
  })

  it('bytes that are no UTF-8 are named, not replaced', async () => {
    const content = Buffer.concat([Buffer.from(`${good}\n{"problem": "`), Buffer.from([0xe9]), Buffer.from('"}')])
    expect((await failure(content)).message).toContain('bad.jsonl:2: not UTF-8 at byte 45')
  })

  it('NUL bytes, deep nesting and repeated keys are refused', async () => {
    expect((await failure(Buffer.alloc(8))).message).toMatch(/expected a value, found "\\u0000"/)
    expect((await failure(`{"problem": "q", "x": ${'['.repeat(64)}${']'.repeat(64)}}`)).message).toContain(
      'nested deeper',
    )
    expect((await failure('{"problem": "q", "problem": "r"}')).message).toContain('given twice')
  })

  it('a line that is no object is refused', async () => {
    expect((await failure('[1]')).message).toContain('expected an object, got an array')
  })

  it.each([
    ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le')],
    ['parquet', Buffer.from('PAR1....')],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0])],
  ])('%s under the wrong name is recognised', async (name, content) => {
    expect(await failure(content)).toMatchObject({ code: 'E_DATA_FORMAT', message: expect.stringContaining(name) })
  })
})

describe('JSON files', () => {
  it('hold an array of records, named by index', async () => {
    const path = write('array.json', `[${good}, ${good}]`)
    expect((await loadDataset(path)).row(1).source).toBe(`${path}[1]`)
  })

  it('a syntax error names line and column, and JSON Lines are recognised', async () => {
    const error = await failure(`${good}\n${good}\n`, 'bad.json')
    expect(error.message).toContain('bad.json:2:1: expected the end')
    expect(error.hint).toContain('.jsonl')
  })

  it('anything but an array of objects is refused', async () => {
    expect((await failure('{"a": 1}', 'bad.json')).message).toContain('expected an array of objects, got an object')
    expect((await failure('[1]', 'bad.json')).message).toContain('expected an object, got 1')
  })
})

describe('sources', () => {
  it('a missing file, a folder and an unknown extension each have their error', async () => {
    await expect(loadDataset(join(folder, 'none.jsonl'))).rejects.toMatchObject({
      code: 'E_PATH',
      message: /no such file/,
    })
    await expect(loadDataset(folder)).rejects.toMatchObject({ code: 'E_PATH', message: /expected a file/ })
    await expect(loadDataset(write('rows.csv', 'a,b'))).rejects.toMatchObject({ code: 'E_DATA_FORMAT' })
  })

  it('a stream of records equals the array of them', async () => {
    const records = [{ problem: 'a' }, { problem: 'b' }]
    async function* stream(): AsyncGenerator<Record<string, unknown>> {
      yield* records
    }
    const [streamed, listed] = [await loadDataset(stream()), await loadDataset(records)]
    expect([...streamed]).toEqual([...listed])
    expect(streamed.fingerprint).toBe(listed.fingerprint)
  })

  it('a data set without rows is an error', async () => {
    await expect(loadDataset([])).rejects.toMatchObject({ code: 'E_DATA_FORMAT', message: /no rows/ })
    expect((await failure('\n\n')).message).toContain('no rows')
  })

  it('an aborted signal rejects with its reason, before and while reading', async () => {
    const reason = new Error('stop')
    await expect(loadDataset([{ problem: 'q' }], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    async function* endless(): AsyncGenerator<Record<string, unknown>> {
      for (let index = 0; ; index += 1) {
        if (index === 1000) controller.abort(reason)
        yield { problem: 'q' }
      }
    }
    await expect(loadDataset(endless(), { signal: controller.signal })).rejects.toBe(reason)
    const path = join(folder, 'aborted.json')
    writeFileSync(path, '[{ "problem": "q" }]')
    const later = new AbortController()
    const loading = loadDataset(path, { signal: later.signal })
    later.abort(reason)
    await expect(loading).rejects.toBe(reason)
  })
})

describe('bad rows', () => {
  const records = [{ problem: 'a' }, { text: 'b' }, { problem: 'c', answer: {} }, { problem: 'd', id: 'd' }]

  it('strict lists each of them with its place', async () => {
    const error: unknown = await loadDataset(records).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'E_DATA_ROW',
      details: { rows: [{ source: 'rows[1]' }, { source: 'rows[2]' }] },
    })
    expect((error as Error).message).toMatch(/^2 bad rows:\n {2}rows\[1\]: .*\n {2}rows\[2\]: answer: expected/)
  })

  it('strict stops at twenty', async () => {
    const many = Array.from({ length: 50 }, () => ({ text: 'x' }))
    const error: unknown = await loadDataset(many).catch((reason: unknown) => reason)
    expect((error as Error).message.split('\n')).toHaveLength(21)
    expect((error as Error).message).toMatch(/^the first 20 bad rows/)
  })

  it('rows with one kind of fault keep its code', async () => {
    await expect(loadDataset([{ problem: 'q', images: ['/abs.png'] }])).rejects.toMatchObject({ code: 'E_PATH' })
  })

  it('skip keeps the others, their order and their ids, and records the bad ones', async () => {
    const dataset = await loadDataset(records, { badRows: 'skip' })
    expect([...dataset].map(({ id, source }) => [id, source])).toEqual([
      ['0', 'rows[0]'],
      ['d', 'rows[3]'],
    ])
    expect(dataset.skipped).toMatchObject([
      { source: 'rows[1]', code: 'E_DATA_ROW' },
      { source: 'rows[2]', code: 'E_DATA_ROW' },
    ])
  })

  it('skip with nothing left is an error that shows the first fault', async () => {
    await expect(loadDataset([{ text: 'x' }], { badRows: 'skip' })).rejects.toThrow(
      /all 1 are bad, the first: rows\[0\]/,
    )
  })
})

describe('Dataset', () => {
  it('repeated ids are told apart', async () => {
    const dataset = await loadDataset(['x', 'x', 'x#2', 'x'].map((id) => ({ problem: 'q', id })))
    const ids = [...dataset].map((row) => row.id)
    expect(ids.slice(0, 2)).toEqual(['x', 'x#2'])
    expect(new Set(ids).size).toBe(4)
  })

  it('an index outside it is an error', async () => {
    const dataset = await loadDataset([{ problem: 'q' }])
    expect(() => dataset.row(1)).toThrow(/row 1: expected an index from 0 to 0/)
    expect(() => dataset.row(-1)).toThrow(ColdstartError)
  })

  it('the fingerprint follows the content and the options, not the order of keys or the name of the file', async () => {
    const of = async (record: Record<string, unknown>, options?: LoadDatasetOptions): Promise<string> =>
      (await loadDataset([record], options)).fingerprint
    const base = await of({ problem: 'q', answer: 1 })
    expect(base).toMatch(/^[0-9a-f]{64}$/)
    expect(await of({ answer: 1, problem: 'q' })).toBe(base)
    expect(await of({ problem: 'q', answer: 2 })).not.toBe(base)
    expect(await of({ problem: 'q', answer: '1' })).not.toBe(base)
    expect(await of({ problem: 'q', answer: 1 }, { badRows: 'skip' })).not.toBe(base)
    const image = (byte: number): Promise<string> => of({ problem: 'q', images: [Uint8Array.of(byte)] })
    expect(await image(1)).not.toBe(await image(2))
    const [one, two] = [await loadDataset(write('one.jsonl', good)), await loadDataset(write('two.jsonl', good))]
    expect(one.fingerprint).toBe(two.fingerprint)
  })

  it('options and sources that are none are refused', async () => {
    const load = (source: unknown, options: unknown = {}) =>
      expect(loadDataset(source as DatasetLike, options as LoadDatasetOptions)).rejects
    await load([{ problem: 'q' }], { badRows: 'skipp' }).toMatchObject({ code: 'E_CONFIG' })
    await load([{ problem: 'q' }], { badRow: 'skip' }).toThrow('options: unknown key badRow; did you mean badRows?')
    await load([{ problem: 'q' }], { allowPaths: 'false' }).toThrow('options.allowPaths: expected boolean, got "false"')
    for (const source of [undefined, null, 5, { problem: 'q' }]) await load(source).toMatchObject({ code: 'E_USAGE' })
  })

  it('images given as bytes are those of the time of reading', async () => {
    const bytes = Buffer.from([1, 2, 3])
    const dataset = await loadDataset([{ problem: '<image>q', images: [bytes] }])
    bytes.fill(0)
    expect(JSON.stringify(dataset.row(0).messages)).toContain(JSON.stringify(new Uint8Array([1, 2, 3])))
  })

  it('a value that is no plain data is refused, also a cycle', async () => {
    const cycle: Record<string, unknown> = { problem: 'q' }
    cycle.self = cycle
    await expect(loadDataset([cycle])).rejects.toThrow(/nested deeper/)
    await expect(loadDataset([{ problem: 'q', check: () => true }])).rejects.toThrow(/function/)
  })
})
