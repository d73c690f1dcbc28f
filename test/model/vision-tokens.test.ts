import { expect, it } from 'vitest'
import { visionTokensOf } from '../../src/model/vision-tokens.js'

const tokenizer = (content: unknown) => Buffer.from(JSON.stringify(content))

it('finds the tokens of images and videos by their names', () => {
  const added = ['<|im_end|>', '<|vision_start|>', '<|vision_pad|>', '<tool_call>', '<|video_pad|>']
  const content = { added_tokens: added.map((content, i) => ({ id: 10 + i, content })), model: { vocab: { a: 0 } } }
  expect(visionTokensOf(tokenizer(content))).toEqual([11, 12, 14])
  expect(visionTokensOf(tokenizer({ model: {} }))).toEqual([])
})
