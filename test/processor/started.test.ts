import { expect, it, vi } from 'vitest'
import { VisionLanguageModel } from '../../src/index.js'
import type * as Native from '../../src/native/index.js'
import { Processor } from '../../src/processor/processor.js'
import { config, tokenizer } from '../support/tiny.js'

vi.mock('../../src/native/index.js', async (original) => {
  const actual = await original<typeof Native>()
  class NativeModel {
    constructor() {
      throw new Error('cannot start the thread coldstart-engine: Resource temporarily unavailable')
    }
  }
  return { ...actual, native: () => ({ ...actual.native(), NativeModel }) }
})

it('a thread that the system does not give has a code, and leaves no processor behind', async () => {
  const close = vi.spyOn(Processor.prototype, 'close')
  await expect(VisionLanguageModel.fromConfig(config, { tokenizer })).rejects.toMatchObject({
    code: 'E_NATIVE_LOAD',
    message: expect.stringContaining('cannot start the thread'),
  })
  expect(close).toHaveBeenCalledOnce()
})
