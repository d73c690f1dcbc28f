import { describe, expect, it } from 'vitest'
import { bannedIdsOf } from '../../src/model/banned-ids.js'
import { CompletionBuilder } from '../../src/model/generation.js'
import { stopIdsOf } from '../../src/model/stop-ids.js'

// A tokenizer of bytes: an unfinished character decodes to the replacement character, as real ones do.
const decode = (ids: Uint32Array) => Buffer.from(ids).toString('utf8')
const event = (bytes: Uint8Array, finishReason?: 'stop' | 'length') => ({
  request: 0,
  sample: 0,
  ids: Uint32Array.from(bytes),
  logProbs: new Float32Array(bytes.length),
  keptMass: new Float32Array(bytes.length).fill(1),
  ...(finishReason ? { finishReason } : {}),
})
const streamed = (builder: CompletionBuilder, text: string) => {
  const bytes = Buffer.from(text)
  return [...bytes].map(
    (byte, i) => builder.push(event(Uint8Array.of(byte), i === bytes.length - 1 ? 'stop' : undefined), true)?.text,
  )
}

describe('CompletionBuilder', () => {
  it('streams only whole characters, and their sum is the text', () => {
    const builder = new CompletionBuilder(decode)
    const pieces = streamed(builder, 'aé√')
    expect(pieces).toEqual(['a', '', 'é', '', '', '√'])
    expect(builder.finish()).toMatchObject({ text: 'aé√', finishReason: 'stop' })
  })

  it('cuts the text before a stop string and never shows its beginning', () => {
    const builder = new CompletionBuilder(decode, ['END'])
    const pieces = streamed(builder, 'xENyENDz')
    expect(pieces.slice(0, 7)).toEqual(['x', '', '', 'ENy', '', '', ''])
    expect(builder.finish()).toMatchObject({ text: 'xENy', finishReason: 'stop' })
    expect(builder.done).toBe(true)
  })

  it('marks a completion cut at the length limit', () => {
    const builder = new CompletionBuilder(decode)
    builder.push(event(Buffer.from('ab'), 'length'), false)
    expect(builder.finish()).toMatchObject({ text: 'ab', finishReason: 'length' })
  })
})

it('takes end ids from generation_config.json before config.json, one or many', () => {
  expect(stopIdsOf({ eos_token_id: [7, 3] }, { eos_token_id: 1 })).toEqual([7, 3])
  expect(stopIdsOf({}, { eos_token_id: 1 })).toEqual([1])
  expect(stopIdsOf({}, { text_config: { eos_token_id: 4 } })).toEqual([4])
})

it('takes null and an empty list for no end id, and refuses what is none, naming the file', () => {
  expect(stopIdsOf({ eos_token_id: null }, { eos_token_id: [] })).toEqual([])
  for (const id of ['a', 1.5, -1, [1, 'a'], [null], { id: 1 }]) {
    const refusal = { code: 'E_MODEL', message: expect.stringContaining(JSON.stringify(id)) }
    expect(() => stopIdsOf({ eos_token_id: id }, {})).toThrow(expect.objectContaining(refusal))
    const place = 'config.json: text_config.eos_token_id: expected an id or a list of ids'
    expect(() => stopIdsOf({}, { text_config: { eos_token_id: id } })).toThrow(place)
  }
})

it('bans vision tokens and embedding rows that belong to no token', () => {
  const config = { image_token_id: 3, vision_start_token_id: 1, video_token_id: 60, vocab_size: 8 }
  expect(bannedIdsOf(config, 6)).toEqual([1, 3, 6, 7])
})
