import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bannedIdsOf } from '../../src/model/banned-ids.js'
import { CompletionBuilder } from '../../src/model/generation.js'
import { stopIdsOf } from '../../src/model/stop-ids.js'
import type { Completion, StreamChunk } from '../../src/model/types.js'
import type { EncodedPrompt } from '../../src/processor/processor.js'
import { tinyModel } from '../support/tiny.js'

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

  it('ends ids, log-probabilities and kept mass with the token that completes a stop string, however the pieces were cut', () => {
    const bytes = Buffer.from('é a√b END aEND')
    const length = Buffer.from('é a√b END').length
    const numbers = Float32Array.from(bytes, (_, i) => -i / 4)
    fc.assert(
      fc.property(fc.subarray([...bytes.keys()]), fc.boolean(), (cuts, decodeNow) => {
        // A tie of two stop strings in one piece too: 'D a' ends later and must not count.
        const builder = new CompletionBuilder(decode, ['END', 'b', 'D a', '\uFFFD'].slice(decodeNow ? 2 : 0))
        const ends = [...cuts, bytes.length]
        const chunks = ends.map((end, i) => {
          const from = i === 0 ? 0 : (ends[i - 1] as number)
          const piece = event(bytes.subarray(from, end), end === bytes.length ? 'length' : undefined)
          const logProbs = numbers.subarray(from, end)
          return builder.push({ ...piece, logProbs, keptMass: logProbs }, decodeNow)
        })
        const [text, kept] = decodeNow ? ['é a√b EN', length + 2] : ['é a√', Buffer.from('é a√b').length]
        expect(builder.finish()).toEqual({
          text,
          ids: Uint32Array.from(bytes.subarray(0, kept)),
          logProbs: numbers.slice(0, kept),
          keptMass: numbers.slice(0, kept),
          finishReason: 'stop',
        })
        if (decodeNow) expect(chunks.flatMap((chunk) => [...(chunk?.ids ?? [])])).toEqual([...bytes.subarray(0, kept)])
      }),
    )
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
  // Some configurations say -1 for a token they do not have.
  expect(bannedIdsOf({ ...config, video_token_id: -1, vision_token_id: 1.5 }, 6)).toEqual([1, 3, 6, 7])
})

it('completes and streams the same tokens up to a stop string', async () => {
  await using model = await tinyModel()
  const options = { seed: 3, maxNewTokens: 24, stopIds: [] }
  const [[free]] = (await model.generate('count', options)) as [[Completion]]
  const stopStrings = [free.text.slice(4, 6)]
  const [[whole]] = (await model.generate('count', { ...options, stopStrings })) as [[Completion]]
  const chunks: StreamChunk[] = []
  for await (const chunk of model.stream('count', { ...options, stopStrings })) chunks.push(chunk)
  expect(whole).toMatchObject({
    text: free.text.slice(0, free.text.indexOf(stopStrings[0] as string)),
    finishReason: 'stop',
  })
  expect(whole.ids.length).toBeLessThan(free.ids.length)
  expect(whole.ids).toEqual(free.ids.slice(0, whole.ids.length))
  expect(chunks.flatMap(({ ids }) => [...ids])).toEqual([...whole.ids])
  expect(chunks.flatMap(({ logProbs }) => [...logProbs])).toEqual([...whole.logProbs])
})

it('calls a prompt that cannot be completed by its place or by its name', async () => {
  await using model = await tinyModel()
  const prompts = ['a', 'b']
  await expect(model.generate(prompts, { maxNewTokens: 100_000 })).rejects.toMatchObject({
    code: 'E_TOO_LONG',
    message: expect.stringMatching(/^prompt 1: expected at most/),
  })
  const [prompt] = await Promise.all(prompts.map((text) => model.processor.encode([{ role: 'user', content: text }])))
  const named = [
    { prompt: prompt as EncodedPrompt, key: 0, name: 'rows[4]', maxNewTokens: 1 },
    { prompt: prompt as EncodedPrompt, key: 1, name: 'rows[7]', maxNewTokens: 100_000 },
  ]
  await expect(model.complete(named, {})).rejects.toThrow(/^rows\[7\]: expected at most/)
})
