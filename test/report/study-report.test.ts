import { describe, expect, it } from 'vitest'
import { renderStudyReport } from '../../src/report/study-report.js'
import type { StudyResult } from '../../src/study/types.js'
import { fakeStudy } from './fake-study.js'
import { elementsOf } from './parse.js'

const injected = (text: string): StudyResult => {
  const study = fakeStudy(1)
  for (const sample of study.samples) {
    sample.problem = text
    sample.answer = text
    for (const response of sample.responses) response.text = text
  }
  study.command = text
  study.machine.cpu = text
  study.recipe = { [text]: text }
  return study
}

describe('renderStudyReport', () => {
  it('names every arm with its accuracy and interval', () => {
    const study = fakeStudy(5)
    const page = renderStudyReport(study)
    for (const { accuracy, ci95 } of study.arms) {
      expect(page).toContain(`${(100 * accuracy).toFixed(1)}\u00a0%`)
      expect(page).toContain(`${(100 * ci95[0]).toFixed(1)}\u00a0% – ${(100 * ci95[1]).toFixed(1)}\u00a0%`)
    }
    expect(page.match(/class="dot"/g)).toHaveLength(4 * 5)
  })

  it('tells how to get the same numbers', () => {
    const study = fakeStudy(5)
    const page = renderStudyReport(study)
    for (const fact of [
      study.command,
      study.data.sha256,
      study.machine.cpu,
      study.versions.node,
      study.machine.kernel,
    ]) {
      expect(page).toContain(fact)
    }
  })

  it('gives the same bytes for the same study', () => {
    expect(renderStudyReport(fakeStudy(2))).toBe(renderStudyReport(fakeStudy(2)))
  })

  it('says that a quick study means nothing', () => {
    expect(renderStudyReport({ ...fakeStudy(1), quick: true })).toContain('A quick run of a few steps')
    expect(renderStudyReport(fakeStudy(1))).not.toContain('A quick run of a few steps')
  })

  it('needs nothing from anywhere: no script, no address, no file', () => {
    const page = renderStudyReport(fakeStudy(5))
    const elements = elementsOf(page)
    expect(
      elements.filter(({ name }) => ['script', 'link', 'iframe', 'object', 'embed', 'form'].includes(name)),
    ).toEqual([])
    for (const { attributes } of elements) {
      expect(Object.keys(attributes).filter((name) => name.startsWith('on') || name === 'href')).toEqual([])
      if (attributes.src !== undefined) expect(attributes.src).toMatch(/^data:image\/png;base64,/)
    }
    expect(page).not.toMatch(/url\(|@import|https?:/)
    const policy = elements.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy')
    expect(policy?.attributes.content?.replaceAll('&#39;', "'")).toMatch(
      /^default-src 'none'; img-src data:; style-src 'unsafe-inline';/,
    )
  })

  it.each([
    '<script>alert(1)</script>',
    '</textarea></pre><img src=x onerror=alert(1)>',
    '" onmouseover="alert(1)" x="',
    '<svg onload=alert(1)>',
    '</style><script src=//example.org/x.js></script>',
    '<!--',
    '&lt;script&gt;',
  ])('shows %j in a completion as text: the page has the very elements it has without it', (text) => {
    const names = (page: string) =>
      elementsOf(page).map(({ name, attributes }) => [name, Object.keys(attributes).sort()])
    expect(names(renderStudyReport(injected(text)))).toEqual(names(renderStudyReport(injected('plain'))))
  })

  it('does not show an image that would have to be fetched', () => {
    const study = fakeStudy(1)
    for (const sample of study.samples) sample.image = 'https://example.org/digit.png'
    expect(renderStudyReport(study)).not.toContain('example.org')
  })
})
