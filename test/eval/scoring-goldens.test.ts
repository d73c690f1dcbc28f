import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkGrading, checkScoring } from '../../scripts/lib/scoring-goldens.mjs'

const scoring = fileURLToPath(new URL('../fixtures/goldens/scoring', import.meta.url))

interface Result {
  name: string
  absent?: boolean
  compared?: number
  equal?: number
  ok?: boolean
  misses?: string[]
}

/** The results for a copy of the goldens in which one file is another. */
async function resultsWith(name: string, change: (content: Record<string, unknown>) => unknown): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'coldstart-'))
  cpSync(join(scoring, name), join(folder, name))
  const content = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>
  writeFileSync(join(folder, name), JSON.stringify(change(content)))
  const results = (await checkScoring(folder)) as Result[]
  return results.find((result) => result.name === name)!
}

describe('the reference cases', () => {
  it('are all met: extraction, equality, judges, prompts and reports', async () => {
    const results = (await checkScoring(scoring)) as Result[]
    expect(results.filter(({ ok }) => ok !== true)).toEqual([])
    expect(results).toHaveLength(16)
    expect(results.reduce((sum, { compared = 0 }) => sum + compared, 0)).toBe(577)
  })
})

describe('comparing with reference cases', () => {
  it('counts a case that is not met as a miss and shows what came', async () => {
    const result = await resultsWith('wemath_extraction.json', ({ about }) => ({
      about,
      cases: [
        { response: 'Answer: B', expect: 'B' },
        { response: 'Answer: B', expect: 'C' },
      ],
    }))
    expect(result).toMatchObject({ compared: 2, equal: 1, ok: false })
    expect(result.misses![0]).toContain('expected "C", got "B"')
  })

  it('counts a key that nothing is known of as a miss, inside lists of rows too', async () => {
    const unknown = [{ response: 'Answer: B', language: 'en', expect: 'B' }]
    expect(await resultsWith('wemath_extraction.json', () => ({ cases: unknown }))).toMatchObject({ ok: false })
    const inside = [{ composites: [{ steps: [true, true], multi: true, weight: 2 }], expect: {} }]
    const result = await resultsWith('wemath_metrics.json', () => ({ cases: inside }))
    expect(result.misses![0]).toContain('unknown key weight')
  })

  it.each([
    ['an empty list', { about: '', cases: [] }],
    ['no list', { about: '' }],
  ])('counts %s of cases as a miss', async (_name, content) => {
    expect(await resultsWith('judge.json', () => content)).toMatchObject({ ok: false, misses: ['no cases'] })
  })

  it('lists the files that are not there, and misses files that it does not know', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coldstart-'))
    writeFileSync(join(folder, 'more.json'), '{"cases":[]}')
    const results = (await checkScoring(folder)) as Result[]
    expect(results.filter(({ absent }) => absent)).toHaveLength(16)
    expect(results.find(({ name }) => name === 'more.json')).toMatchObject({ ok: false })
  })
})

describe('comparing verdicts of the grader', () => {
  const pair = { gold: '4', pred: '4', mathruler: true, math_verify: true }

  async function graded(name: string, lines: unknown[]): Promise<Record<string, unknown>[]> {
    const folder = mkdtempSync(join(tmpdir(), 'coldstart-'))
    writeFileSync(join(folder, name), lines.map((line) => JSON.stringify(line)).join('\n'))
    return (await checkGrading(folder)) as Record<string, unknown>[]
  }

  it('has a line for each profile and passes equal verdicts', async () => {
    const other = { gold: '4', pred: '5', mathruler: false, math_verify: 'timeout', kind: 'near miss' }
    expect(await graded('pairs.jsonl', [pair, other])).toMatchObject([
      { name: 'pairs.jsonl mathruler', compared: 2, equal: 2, missed: 0, ok: true },
      { name: 'pairs.jsonl lenient', compared: 2, equal: 2, missed: 0, ok: true },
    ])
  })

  it('fails for one right answer that mathruler accepts and we do not, however many others agree', async () => {
    const missed = { gold: '4', pred: '5', mathruler: true, math_verify: true }
    const lines = [...Array.from({ length: 2000 }, () => pair), missed]
    const [mathruler, lenient] = await graded('pairs.jsonl', lines)
    expect(mathruler).toMatchObject({ equal: 2000, missed: 1, ok: false })
    expect(lenient).toMatchObject({ equal: 2000, missed: 1, ok: true })
  })

  it('wants a larger share of pairs than of generated ones under the lenient profile', async () => {
    const wrong = { gold: '4', pred: '5', mathruler: false, math_verify: true }
    const lines = [...Array.from({ length: 97 }, () => pair), wrong, wrong, wrong]
    expect((await graded('pairs.jsonl', lines))[1]).toMatchObject({ equal: 97, ok: false })
    expect((await graded('generated.jsonl', lines))[1]).toMatchObject({ equal: 97, ok: true })
  })

  it('fails for unknown keys, for no pairs, and for a file of another kind', async () => {
    expect(await graded('pairs.jsonl', [{ ...pair, source: 'x' }])).toMatchObject([{ ok: false }, { ok: false }])
    expect(await graded('pairs.jsonl', [])).toMatchObject([{ ok: false }, { ok: false }])
    expect(await graded('pairs.txt', [])).toMatchObject([{ ok: false }])
  })
})
