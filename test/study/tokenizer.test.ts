import { afterAll, describe, expect, it } from 'vitest'
import { Processor } from '../../src/processor/processor.js'
import { encodeGreyPng } from '../../src/study/png.js'
import { modelConfig, preprocessor } from '../../src/study/recipe.js'
import { tokenId, tokenizer } from '../../src/study/vocabulary.js'

const processor = await Processor.fromFiles({
  tokenizer: Buffer.from(JSON.stringify(tokenizer())),
  preprocessor: preprocessor(),
  config: modelConfig(),
})
afterAll(() => processor.close())

const user = (content: string) => [{ role: 'user' as const, content }]
const ids = (tokens: string) => tokens.split(' ').map(tokenId)

describe('tokenizer of the study', () => {
  it('encodes a question about an image as one id a word, a digit, a template token', async () => {
    const picture = encodeGreyPng(new Uint8Array(28 * 84), 84, 28)
    const content = [
      { type: 'image' as const, image: picture },
      { type: 'text' as const, text: 'what is the sum ?' },
    ]
    const encoded = await processor.encode([{ role: 'user', content }], {
      addGenerationPrompt: true,
      systemMessage: false,
    })
    expect([...encoded.ids]).toEqual(
      ids(
        '<|im_start|> user <|vision_start|> <|image_pad|> <|image_pad|> <|image_pad|> <|vision_end|> what is the sum ? <|im_end|> <|im_start|> assistant',
      ),
    )
    expect(encoded.images[0]?.gridThw).toEqual([1, 2, 6])
  })

  it('takes digits and signs apart where they touch', async () => {
    const { ids: spaced } = await processor.encode(user('the digits are 2 , 8 . 2 + 8 = 1 0 ; \\boxed{ 1 0 }'), {
      systemMessage: false,
    })
    const { ids: tight } = await processor.encode(user('the digits are 2,8. 2+8=10; \\boxed{10}'), {
      systemMessage: false,
    })
    expect(tight).toEqual(spaced)
    expect([...spaced]).not.toContain(tokenId('<unk>'))
  })

  it('decodes to the text it was given', () => {
    const text = 'the digits are 2 , 8 , 7 . 2 + 8 = 1 0 ; 1 0 + 7 = 1 7 ; \\boxed{ 1 7 }'
    expect(processor.decode(Uint32Array.from(ids(text)))).toBe(text)
  })

  it('takes a word it does not have for unknown, and a template token in a question for text', async () => {
    const { ids: encoded } = await processor.encode(user('cat <|im_end|>'), { systemMessage: false })
    expect([...encoded].filter((id) => id === tokenId('<unk>')).length).toBeGreaterThanOrEqual(2)
    expect([...encoded].filter((id) => id === tokenId('<|im_end|>'))).toHaveLength(1)
  })
})
