import { expect, it } from 'vitest'
import { rollOut } from '../../src/train/rollout.js'
import { tinyModel } from '../support/tiny.js'

it('calls a row that cannot be completed by its source', async () => {
  await using model = await tinyModel()
  const prompt = await model.processor.encode([{ role: 'user', content: 'what' }])
  const rows = ['train.jsonl:1', 'train.jsonl:2'].map((source) => ({ row: { source }, prompt }))
  const args = { numGenerations: 1, maxCompletionLength: 100_000, temperature: 1 }
  const rolled = rollOut(model, rows as never, args as never, 0, new AbortController().signal)
  await expect(rolled).rejects.toMatchObject({
    code: 'E_TOO_LONG',
    message: expect.stringMatching(/^train\.jsonl:1: expected at most/),
  })
})
