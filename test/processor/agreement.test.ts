import { describe, expect, it } from 'vitest'
import { checkAgreement } from '../../src/processor/agreement.js'

const words = ['what', '<|vision_end|>', '<|image_pad|>']
const config = {
  image_token_id: 2,
  vision_config: { patch_size: 14, temporal_patch_size: 2, spatial_merge_size: 2 },
}
const stated = { patch_size: 14, temporal_patch_size: 2, merge_size: 2 }
const check = (
  preprocessor: Record<string, unknown>,
  changed: Record<string, unknown> = {},
  preprocessorName?: string,
) =>
  checkAgreement(
    {
      config: { ...config, ...changed },
      preprocessor,
      tokenizer: new Uint8Array(),
      ...(preprocessorName === undefined ? {} : { preprocessorName }),
    },
    words.length,
    (id) => words[id] ?? '',
  )

describe('a processor and a model', () => {
  it('agree when the numbers are equal or left to the defaults', () => {
    check(stated)
    check({})
    check({ patch_size: null })
  })

  it.each([
    ['patch_size', 16, 'expected 14, the patch_size of vision_config in config.json, got 16'],
    ['temporal_patch_size', 1, 'expected 2, the temporal_patch_size of vision_config in config.json, got 1'],
    ['merge_size', 1, 'expected 2, the spatial_merge_size of vision_config in config.json, got 1'],
  ])('are refused with both values and files when %s differs', (name, value, message) => {
    expect(() => check({ ...stated, [name]: value })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: `preprocessor_config.json: ${name}: ${message}` }),
    )
  })

  it('are compared with the default of a number that the settings leave out', () => {
    expect(() => check({}, { vision_config: { patch_size: 16 } })).toThrow('patch_size: expected 16')
  })

  it('are told apart by the place of the settings', () => {
    expect(() => check({ patch_size: 16 }, {}, 'processor_config.json: image_processor')).toThrow(
      /^processor_config\.json: image_processor: patch_size: expected 14/,
    )
  })

  it('must mean the same token by an image', () => {
    expect(() => check(stated, { image_token_id: 1 })).toThrow(
      expect.objectContaining({
        code: 'E_CONFIG',
        message: 'config.json: image_token_id: expected 2, the id of <|image_pad|> in tokenizer.json, got 1',
      }),
    )
  })

  it('leave what the config does not state, or states as no number, to the engine', () => {
    check({ patch_size: 16 }, { vision_config: undefined, image_token_id: undefined })
    check({ patch_size: 16 }, { vision_config: { patch_size: 'sixteen' }, image_token_id: '2' })
  })
})
