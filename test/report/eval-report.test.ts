import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type EvalPage, renderEvalReport } from '../../src/report/eval-report.js'
import { type EvalRow, verdictsOf } from '../../src/report/eval-row.js'
import { fakePage, fakeRows } from './fake-evaluation.js'
import { elementsOf } from './parse.js'

const PIXEL = 'data:image/webp;base64,UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=='

const rowsOf = (page: string) => elementsOf(page).filter(({ attributes }) => attributes.class === 'row')
const bodyOf = (page: string) => page.slice(page.indexOf('<body>'), page.indexOf('<script>'))
const textOf = (page: string) =>
  (page.includes('<body>') ? bodyOf(page) : page).replace(/<[^>]+>/g, '').replaceAll('\u00a0', ' ')

/** The page with one text in the place of everything that comes from data, model or judge. */
function injected(text: string): EvalPage {
  const evaluation = fakePage(fakeRows(3))
  const { report } = evaluation
  const rows = evaluation.rows.map((row) => ({
    ...row,
    id: text,
    question: text,
    gold: text,
    response: text,
    extraction: text,
    path: text,
    groups: { [text]: [text] },
    thumbnail: text,
    correct: true,
    truncated: false,
  }))
  const cell = { n: 1, correct: 1, accuracy: 1, text }
  return {
    name: text,
    rows,
    imageNote: text,
    report: {
      ...report,
      judge: text,
      metric: text,
      coldstart: text,
      paths: { [text]: 3 },
      breakdowns: { [text]: { [text]: cell } },
      extra: { [text]: text, nested: { [text]: text } },
      answers: { ...report.answers, path: text },
      dataset: { ...report.dataset, path: text, split: text, revision: text },
    },
  }
}

describe('the head of the page', () => {
  it('names protocol, split and judge before the score, and the score with its interval', () => {
    const text = textOf(renderEvalReport(fakePage(fakeRows(200))))
    expect(text).toMatch(/Protocol official, version 1 · split testmini · judge gpt-4o-mini/)
    expect(text).toMatch(/\d+\.\d %accuracy, 95 % interval \d+\.\d % – \d+\.\d %\d+ of 200 right/)
    expect(text.indexOf('Protocol')).toBeLessThan(text.indexOf('interval'))
  })

  it('says at once what is not as it should be, and nothing when all is well', () => {
    const rows = fakeRows(50).map((row) => ({ ...row, correct: true, response: 'x', extraction: 'x' }))
    const fine = textOf(renderEvalReport(fakePage(rows)))
    expect(fine).not.toMatch(/A subset|Incomplete|Missing|no verdict|no published/)

    const { dataset } = fakePage(rows).report
    const subset = { subset: true, dataset: { ...dataset, answered: 50, published: 1000 } }
    expect(textOf(renderEvalReport(fakePage(rows, subset)))).toMatch(
      /A subset: 50 of the 1,000 rows.*not a score of MathVista/,
    )
    const incomplete = { incomplete: true, unjudged: 3 }
    expect(textOf(renderEvalReport(fakePage(rows, incomplete)))).toMatch(
      /Incomplete: 3 of 50 rows \(6\.0 %\) have no verdict/,
    )
    expect(textOf(renderEvalReport(fakePage(rows, { unjudged: 1 })))).toMatch(
      /1 of 50 rows have no verdict and count as wrong/,
    )
    expect(textOf(renderEvalReport(fakePage(rows, { withoutGold: 4 })))).toMatch(
      /4 of 50 rows have no published answer/,
    )
    expect(textOf(renderEvalReport(fakePage(rows, { missing: 2 })))).toMatch(/Missing: 2 of 50 rows have no response/)
  })

  it('says rules, not judge, where rules decided', () => {
    const text = textOf(renderEvalReport(fakePage(fakeRows(20), { judge: 'rules' })))
    expect(text).toMatch(/judged by rules/)
    expect(textOf(renderEvalReport(fakePage(fakeRows(20), { judge: 'none' })))).toMatch(/no judge/)
  })

  it('leaves out how many are right where the score is no share of right ones', () => {
    expect(textOf(renderEvalReport(fakePage(fakeRows(20), { score: 0.123, metric: 'strict score' })))).not.toMatch(
      /of 20 right/,
    )
  })
})

describe('breakdowns', () => {
  it('have a bar for each key, with the official text where there is one', () => {
    const breakdowns = {
      level: { 1: { n: 4, correct: 2, accuracy: 0.5, text: '2/4=50.0%' }, 2: { n: 3, correct: 3, accuracy: 1 } },
      domain: { Plane: { n: 3, correct: 2, accuracy: 0.75, text: '75.00%' } },
    }
    const page = renderEvalReport(fakePage([], { breakdowns }))
    // Counts stand there once, and never beside a score that is no share of them.
    expect(textOf(page)).toContain('level12/4=50.0%')
    expect(textOf(page)).toContain('23 / 3100.0 %')
    expect(textOf(page)).toContain('Planeof 375.00%')
    const labels = elementsOf(page).flatMap(({ name, attributes }) =>
      name === 'svg' ? [attributes['aria-label']] : [],
    )
    expect(labels.slice(1)).toEqual([/^50\.0/, /^100\.0/, /^75\.0/].map((text) => expect.stringMatching(text)))
  })

  it('of many keys are folded', () => {
    const cells = Object.fromEntries(
      Array.from({ length: 80 }, (_, i) => [`subject_${i}`, { n: 1, correct: 1, accuracy: 1 }]),
    )
    const page = renderEvalReport(fakePage([], { breakdowns: { long: cells } }))
    expect(elementsOf(page).filter(({ attributes }) => attributes.class === 'breakdown')).toHaveLength(1)
    expect(textOf(page)).toContain('long, 80 groups')
  })
})

describe('further numbers', () => {
  it('are named values, lists cut at a hundred items, and folded groups, however deep', () => {
    const extra = {
      printed: '66.3%',
      golds: { dollar: Array.from({ length: 150 }, (_, i) => `id${i}`) },
      a: { b: { c: { d: 0.25 } } },
    }
    const page = renderEvalReport(fakePage([], { extra }))
    const text = textOf(page)
    expect(text).toContain('printed66.3%')
    expect(text).toContain('dollarid0, id1,')
    expect(text).toContain('id99 and 50 more')
    expect(text).toMatch(/abc\{\s*&quot;d&quot;: 0\.25/)
  })
})

describe('rows', () => {
  it('come all, in order, each with question, answers, response and who decided', () => {
    const rows = fakeRows(40)
    const page = renderEvalReport(fakePage(rows))
    expect(rowsOf(page)).toHaveLength(40)
    const cards = page.split('<article').slice(1).map(textOf)
    for (const [index, { id, gold, path, response }] of rows.entries()) {
      expect(cards[index]).toContain(`row ${id}`)
      expect(cards[index]).toContain(`gold${gold}`)
      if (response !== null) expect(cards[index]).toContain(`decided by ${path}`)
    }
  })

  const base = fakeRows(1)[0] as EvalRow
  it.each<[Partial<EvalRow>, string[]]>([
    [{ correct: true }, ['right']],
    [{ correct: false }, ['wrong']],
    [{ correct: null }, ['unjudged']],
    [{ correct: false, extraction: null }, ['wrong', 'no-answer']],
    [{ correct: false, truncated: true }, ['wrong', 'truncated']],
    [{ correct: false, response: null, extraction: null }, ['wrong', 'missing']],
  ])('%j can be chosen by %j', (change, verdicts) => {
    expect(verdictsOf({ ...base, response: 'x', extraction: 'x', truncated: false, ...change })).toEqual(verdicts)
  })

  it('carry the numbers of their groups, once each, and the choices say how many rows each group has', () => {
    const rows = fakeRows(2).map((row, index) => ({
      ...row,
      groups: { skills: ['a', 'a'], level: index === 0 ? '10' : '9' },
    }))
    const page = renderEvalReport(fakePage(rows))
    const options = elementsOf(page).filter(({ name }) => name === 'option')
    expect(options.map(({ attributes }) => attributes.value)).toHaveLength(1 + 3)
    expect(textOf(page)).toMatch(/a \(2\)/)
    expect(textOf(page)).toMatch(/9 \(1\)10 \(1\)/)
    const numbers = rowsOf(page).map(({ attributes }) => attributes['data-groups']?.split(' '))
    expect(numbers.map((list) => list?.length)).toEqual([2, 2])
    expect(numbers[0]?.[0]).toBe(numbers[1]?.[0])
  })

  it('show a long response without its middle and say how much is left out', () => {
    const response = `start ${'x'.repeat(100_000)} end`
    const page = renderEvalReport(fakePage([{ ...base, response }]))
    expect(page.length).toBeLessThan(60_000)
    const text = textOf(page)
    expect(text).toMatch(/start x+ … 96,010 characters left out … x+ end/)
    expect(text).toMatch(/more than 4,000 characters .* rows\.jsonl/)
    expect(text).toContain('response, 100,010 characters')
  })

  it('of a whole MathVerse stay within 16 million characters, however long responses are', () => {
    const long = 'All work and no play. '.repeat(3000)
    const rows = fakeRows(3940).map((row) => ({ ...row, response: long, question: long }))
    const page = renderEvalReport(fakePage(rows))
    expect(rowsOf(page)).toHaveLength(3940)
    expect(page.length).toBeLessThan(16_000_000 + 3940 * 1500)
  })

  it('show their picture, and that there are more', () => {
    const page = renderEvalReport(
      fakePage([
        { ...base, images: 3, thumbnail: PIXEL },
        { ...base, images: 1 },
      ]),
    )
    expect(
      elementsOf(page)
        .filter(({ name }) => name === 'img')
        .map(({ attributes }) => attributes.src),
    ).toEqual([PIXEL])
    expect(textOf(page)).toContain('and 2 more')
  })

  it('may be none', () => {
    expect(rowsOf(renderEvalReport(fakePage([], { score: 0, ci95: [0, 1] })))).toEqual([])
  })
})

describe('safety', () => {
  const page = renderEvalReport(fakePage(fakeRows(30, () => PIXEL)))

  it('one script runs, by its hash, and nothing comes from anywhere', () => {
    const elements = elementsOf(page)
    const script = /<script>([\s\S]*?)<\/script>/.exec(page)?.[1] ?? ''
    const policy = elements
      .find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy')
      ?.attributes.content?.replaceAll('&#39;', "'")
    const hash = createHash('sha256').update(script).digest('base64')
    expect(policy).toBe(
      `default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-${hash}'`,
    )
    expect(elements.filter(({ name }) => name === 'script')).toEqual([{ name: 'script', attributes: {} }])
    expect(elements.filter(({ name }) => ['link', 'iframe', 'object', 'embed', 'form', 'a'].includes(name))).toEqual([])
    for (const { attributes } of elements) {
      expect(Object.keys(attributes).filter((name) => name.startsWith('on') || name === 'href')).toEqual([])
      if (attributes.src !== undefined) expect(attributes.src).toMatch(/^data:image\/webp;base64,/)
    }
    expect(page).not.toMatch(/url\(|@import|https?:/)
  })

  it('gives the same bytes for the same evaluation', () => {
    expect(renderEvalReport(fakePage(fakeRows(30, () => PIXEL)))).toBe(page)
  })

  it.each([
    '<script>alert(1)</script>',
    '</script><script>alert(1)</script>',
    '</textarea></pre><img src=x onerror=alert(1)>',
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    '<svg onload=alert(1)>',
    '</details></article><article class="row">',
    '</style><script src=//example.org/x.js></script>',
    'data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+',
    'data:text/html,<script>alert(1)</script>',
    'javascript:alert(1)',
    '<!--',
    ']]>',
    '&lt;script&gt;',
    '${alert(1)} \u0000\u001b \ud800',
  ])('shows %j from a model as text: the page has the very elements it has without it', (text) => {
    const names = (one: string) => elementsOf(one).map(({ name, attributes }) => [name, Object.keys(attributes).sort()])
    expect(names(renderEvalReport(injected(text)))).toEqual(names(renderEvalReport(injected('plain'))))
  })
})
