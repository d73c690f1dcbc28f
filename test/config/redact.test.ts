import { describe, expect, it } from 'vitest'
import { redact, redactText } from '../../src/config/redact.js'

// Made up, in the form of real ones.
const token = 'hf_abcdefghijklmnopqrstuvwx'
const key = 'sk-abcdefghijklmnop1234'

describe('redact', () => {
  it('replaces tokens by their kind and a digest, wherever they stand', () => {
    const text = redactText(`GET https://user:pw@host/${token} with ${key}`)
    expect(text).toMatch(/^GET https:\/\/…@host\/hf_…[0-9a-f]{8} with sk-…[0-9a-f]{8}$/)
  })

  it('gives one secret one digest, so that two of them can be told apart', () => {
    expect(redactText(token)).toBe(redactText(token))
    expect(redactText(token)).not.toBe(redactText(`${token}z`))
  })

  it('replaces values under secret names, and leaves others', () => {
    const value = { apiKey: 'abc', nested: [{ password: 'p', maxNewTokens: 5, text: 'token' }], hub_token: 'x' }
    const text = JSON.stringify(redact(value))
    expect(text).not.toMatch(/"abc"|"p"|"x"/)
    expect(redact(value)).toMatchObject({ nested: [{ maxNewTokens: 5, text: 'token' }] })
  })
})
