import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderEvalReport } from '../../src/report/eval-report.js'
import { BrowserPage, chromium } from '../support/chromium.js'
import { fakePage, fakeRows } from './fake-evaluation.js'

const HOSTILE = [
  '<script>window.hit = 1</script>',
  '<img src=x onerror="window.hit = 1">',
  '</textarea></script><svg onload="window.hit = 1">',
  '<iframe src="data:text/html,hi"></iframe><base href="https://example.org/">',
  '<style>* { display: none }</style><link rel=stylesheet href=https://example.org/x.css>',
]

describe.skipIf(chromium === undefined)('the page in a browser', () => {
  const rows = fakeRows(400).map((row, index) => ({
    ...row,
    question: `Question ${row.id} ${HOSTILE[index % HOSTILE.length]}`,
    ...(row.response === null ? {} : { response: `${HOSTILE.join('')} ${row.response}` }),
  }))
  let folder: string
  let file: string
  let page: BrowserPage

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-'))
    file = join(folder, 'report.html')
    await writeFile(file, renderEvalReport(fakePage(rows)))
    page = await BrowserPage.open(file)
  })

  afterAll(async () => {
    await page?.close()
    await rm(folder, { recursive: true })
  })

  const shown = () =>
    page.evaluate<number[]>(
      `[...document.querySelectorAll('article.row')].flatMap((row, i) => row.checkVisibility() ? [i] : [])`,
    )
  const where = (test: (row: (typeof rows)[number]) => boolean) =>
    rows.flatMap((row, index) => (test(row) ? [index] : []))
  const choose = (verdict: string) => page.evaluate(`document.querySelector('[data-verdict="${verdict}"]').click()`)
  const type = (text: string) =>
    page.evaluate(`new Promise((done) => {
      const input = document.querySelector('.filters input')
      input.value = ${JSON.stringify(text)}
      input.dispatchEvent(new Event('input'))
      setTimeout(done, 300)
    })`)
  const pick = (label: string) =>
    page.evaluate(`(() => {
      const select = document.querySelector('.filters select')
      select.value = [...select.options].find(({ text }) => text.startsWith(${JSON.stringify(label)})).value
      select.dispatchEvent(new Event('change'))
    })()`)

  it('asks for nothing, complains of nothing, and runs nothing that a model wrote', async () => {
    expect(await page.evaluate('window.hit')).toBeUndefined()
    expect(page.requests).toEqual([pathToFileURL(file).href])
    expect(page.complaints).toEqual([])
    expect(
      await page.evaluate(`document.querySelectorAll('.rows script, .rows iframe, .rows svg, .rows style').length`),
    ).toBe(0)
    expect(await page.evaluate(`document.querySelector('.row .question').textContent`)).toContain(HOSTILE[0])
  })

  it('shows the rows of a verdict, of a group, with a text, and of all three at once', async () => {
    expect(await shown()).toHaveLength(400)
    await choose('wrong')
    const wrong = where(({ correct }) => correct === false)
    expect(await shown()).toEqual(wrong)
    await choose('truncated')
    expect(await shown()).toEqual(where(({ truncated }) => truncated))
    await choose('wrong')
    await pick('math word problem')
    const word = where((row) => row.correct === false && row.groups.task === 'math word problem')
    expect(await shown()).toEqual(word)
    await type('QUESTION 3')
    expect(await shown()).toEqual(word.filter((index) => rows[index]?.question.startsWith('Question 3')))
    await type('')
    await pick('every group')
    await choose('')
    expect(await shown()).toHaveLength(400)
  })

  it('says how many of the rows are shown', async () => {
    await choose('right')
    const right = where(({ correct }) => correct === true).length
    expect(await page.evaluate(`document.querySelector('output').textContent`)).toBe(`${right} of 400 rows`)
    await choose('')
    expect(await page.evaluate(`document.querySelector('output').textContent`)).toBe('')
  })
})
