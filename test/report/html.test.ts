import { describe, expect, it } from 'vitest'
import { dataImage, escapeHtml, html } from '../../src/report/html.js'

describe('html', () => {
  it('escapes every value that is not HTML', () => {
    const text = `<script>alert("1")</script>&'`
    expect(html`<td title="${text}">${text}</td>`.toString()).toBe(
      '<td title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</td>',
    )
  })

  it('keeps HTML in HTML and joins lists', () => {
    expect(html`<ul>${[1, '<2>'].map((item) => html`<li>${item}</li>`)}</ul>`.toString()).toBe(
      '<ul><li>1</li><li>&lt;2&gt;</li></ul>',
    )
  })

  it('writes nothing for nothing, and zero for zero', () => {
    expect(html`${null}${undefined}${false}${[]}${0}`.toString()).toBe('0')
  })

  it('does not take an object that looks like HTML for HTML', () => {
    const forged = { markup: '<b>', toString: () => '<b>' } as unknown as string
    expect(html`${forged}`.toString()).toBe('&lt;b&gt;')
  })

  it('replaces characters that HTML forbids and lone surrogates, and keeps line breaks and emoji', () => {
    expect(escapeHtml('a\u0000b\u001bc\ud800d\n\t\ud83d\ude00')).toBe('a\ufffdb\ufffdc\ufffdd\n\t\ud83d\ude00')
  })
})

describe('dataImage', () => {
  it('lets raster images that are part of the page through, and nothing else', () => {
    expect(dataImage('data:image/png;base64,iVBORw0KGgo=')).toBe('data:image/png;base64,iVBORw0KGgo=')
    for (const address of [
      'https://example.org/a.png',
      '//example.org/a.png',
      'javascript:alert(1)',
      'data:image/svg+xml;base64,PHN2Zz4=',
      'data:text/html;base64,PHN2Zz4=',
      'data:image/png;base64,aGk=" onerror="alert(1)',
    ]) {
      expect(dataImage(address)).toBeUndefined()
    }
  })
})
