import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/tiny.js'
import { type CliResult, eventsOf, runCli } from './run-cli.js'

let folder: string
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => rmSync(folder, { recursive: true }))

const cli = (...words: string[]): Promise<CliResult> => runCli(['grade', ...words], { cwd: folder })

function lines(name: string, rows: readonly unknown[]): string {
  writeFileSync(
    join(folder, name),
    rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''),
  )
  return name
}

/** The compiled command line with an open standard input. */
function spawnCli(words: readonly string[]) {
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
  return spawn(process.execPath, [main, ...words], { stdio: 'pipe' })
}

/** The command with a text on its standard input. */
function piped(text: string, ...words: string[]): Promise<CliResult> {
  const child = spawnCli(['grade', '-', ...words])
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    said.stdout += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    said.stderr += part
  })
  child.stdin.end(text)
  return new Promise((done) => child.on('close', (code) => done({ code, ...said })))
}

const rows = [
  { gold: '7', pred: '7' },
  { gold: '\\frac{3}{8}', response: 'so \\boxed{1}, no: \\boxed{0.375}.' },
  { gold: 7, response: 'seven' },
  { gold: '7', pred: null, id: 'extra columns do no harm' },
  { gold: '7', pred: '1+'.repeat(4000) },
]

describe('coldstart grade', () => {
  it('says the verdict of each row, and sums them up with an interval and by path', async () => {
    const { code, stdout, stderr } = await cli(lines('rows.jsonl', rows))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      'rows.jsonl:1  right  string',
      'rows.jsonl:2  right  exact',
      'rows.jsonl:3  wrong  none',
      'rows.jsonl:4  wrong  none',
      'rows.jsonl:5  wrong  refused: size',
    ])
    expect(stdout).toContain('accuracy 40.0 % (95 % interval 11.8 % to 76.9 %): 2 of 5 right under mathruler')
    expect(stdout).toMatch(/^ {2}none +0 +2$/m)
    expect(stdout).toMatch(/^ {2}refused: size +0 +1$/m)
  })

  it('with --json has one object a row on stdout, the verdict first, and nothing else', async () => {
    const { code, stdout } = await cli(lines('rows.jsonl', rows), '--json')
    expect(code).toBe(0)
    const verdicts = eventsOf(stdout)
    expect(verdicts).toHaveLength(rows.length)
    for (const verdict of verdicts) expect(Object.keys(verdict).slice(0, 2)).toEqual(['correct', 'path'])
    expect(verdicts).toMatchObject([
      { correct: true, path: 'string' },
      { correct: true, path: 'exact', extracted: '0.375' },
      { correct: false, path: 'none', extracted: null },
      { correct: false, path: 'none' },
      { correct: false, path: 'refused', reason: 'size' },
    ])
  })

  it('reads standard input, and grades by the profile it is told', async () => {
    const row = `${JSON.stringify({ gold: '\\frac{3}{8}', pred: '6/16' })}\n`
    expect(eventsOf((await piped(row, '--json')).stdout)).toMatchObject([{ correct: false }])
    expect(eventsOf((await piped(row, '--json', '--profile', 'lenient')).stdout)).toMatchObject([{ correct: true }])
    expect(await piped(row, '--profile', 'strict')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('mathruler'),
    })
  })

  it('under lenient finds the answer of a response without a box, under mathruler does not', async () => {
    const row = `${JSON.stringify({ gold: '12', response: 'Of 40, the answer is 12.' })}\n`
    expect(eventsOf((await piped(row, '--json')).stdout)).toMatchObject([{ path: 'none', extracted: null }])
    expect(eventsOf((await piped(row, '--json', '--profile', 'lenient')).stdout)).toMatchObject([
      { correct: true, extracted: '12' },
    ])
  })

  it('keeps the order of many rows', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ gold: '1', pred: i % 3 === 0 ? '1' : '2' }))
    const verdicts = eventsOf((await cli(lines('many.jsonl', many), '--json')).stdout)
    expect(verdicts.map(({ correct }) => correct)).toEqual(many.map(({ pred }) => pred === '1'))
  })

  it.each([
    ['no gold', { pred: '7' }, 'gold: expected a string or a number, got nothing'],
    ['an odd gold', { gold: ['7'], pred: '7' }, 'gold: expected a string or a number, got an array'],
    ['an odd pred', { gold: '7', pred: true }, 'pred: expected a string or a number, got true'],
    ['neither', { gold: '7' }, 'expected either pred or response, got neither'],
    ['both', { gold: '7', pred: '7', response: '7' }, 'expected either pred or response, got both'],
    ['no object', '7', 'expected an object, got 7'],
    ['no JSON', '{"gold": 7', 'the text ends where'],
  ])('a row with %s is E_DATA_ROW with file, line and reason, after the verdicts before it', async (_, bad, reason) => {
    const { code, stdout, stderr } = await cli(lines('bad.jsonl', [rows[0], bad, rows[0]]), '--json')
    expect(code).toBe(3)
    expect(eventsOf(stdout)).toEqual([expect.objectContaining({ correct: true })])
    expect(stderr).toContain(`E_DATA_ROW: bad.jsonl:2: ${reason}`)
  })

  it('a file that is empty or missing is exit code 3', async () => {
    expect(await cli(lines('empty.jsonl', []))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('has no rows'),
    })
    expect(await piped('')).toMatchObject({ code: 3, stderr: expect.stringContaining('stdin has no rows') })
    expect(await cli('missing.jsonl')).toMatchObject({ code: 3, stderr: expect.stringContaining('no such file') })
  })

  it('with --json a fault of the words or the file is on stderr alone', async () => {
    for (const words of [['missing.jsonl'], ['missing.jsonl', '--profile', 'strict'], ['--lint', 'missing.jsonl']]) {
      const { stdout, stderr } = await cli('--json', ...words)
      expect(stdout).toBe('')
      expect(stderr).not.toBe('')
    }
  })

  it.each([
    ['grade', ['grade', '-']],
    ['generate', ['generate', '.', '--prompt', '-']],
  ])('%s ends by the first signal while it waits for standard input', async (_, words) => {
    const child = spawnCli(words)
    const said = { stderr: '' }
    const ended = new Promise((done) => child.on('close', (code) => done(code)))
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      said.stderr += part
    })
    // The pipe is read from once the signals are watched: it takes this much only when it is emptied at the other end.
    await new Promise((taken) => child.stdin.write(' '.repeat(1 << 20), taken))
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
    expect(said.stderr).toContain('stopped by SIGTERM')
  })

  it('explains itself', async () => {
    const { stdout } = await cli('--help')
    for (const word of ['--profile', '--lint', 'exit code 3', 'boxed', '"path"']) expect(stdout).toContain(word)
  })
})

describe('coldstart grade --lint', () => {
  it('names every gold answer at fault with line, reason and what it should be, and exits with 3', async () => {
    const file = lines('golds.jsonl', [
      { problem: 'a', answer: '55°' },
      { problem: 'b', answer: '12' },
      { problem: 'c', solution: 'so \\boxed{3}' },
      { problem: 'd' },
      { gold: 'None' },
    ])
    const { code, stdout, stderr } = await cli(file, '--lint')
    expect(code).toBe(3)
    expect(stderr).toContain('E_DATA_ROW: 4 of 5 gold answers are at fault under mathruler')
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^golds\.jsonl:1: .*degree sign.*\("55°"; better "55"\)$/),
      expect.stringMatching(/^golds\.jsonl:3: .*box.*; better "3"\)$/),
      expect.stringMatching(/^golds\.jsonl:4: no gold answer/),
      expect.stringMatching(/^golds\.jsonl:5: .*\("None"\)$/),
    ])
    expect(eventsOf((await cli(file, '--lint', '--json')).stdout)[0]).toEqual({
      source: 'golds.jsonl:1',
      gold: '55°',
      fault: 'degree',
      message: expect.any(String),
      suggestion: '55',
    })
  })

  it('under lenient names those that are nothing it reads', async () => {
    const file = lines('odd.jsonl', [{ answer: '3 \\mod 7' }])
    expect(await cli(file, '--lint', '--profile', 'lenient')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^odd\.jsonl:1: .*only the same text would be right/),
      stderr: expect.stringContaining('1 of 1 gold answer is at fault under lenient'),
    })
    expect(await cli(file, '--lint')).toMatchObject({
      code: 0,
      stdout: '1 gold answer, none at fault under mathruler\n',
    })
  })

  it('finds nothing wrong with good ones, and exits with 0', async () => {
    const { code, stdout } = await cli(lines('fine.jsonl', [{ answer: '12' }, { answer: 13 }, { gold: 'C' }]), '--lint')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '3 gold answers, none at fault under mathruler\n' })
  })
})
