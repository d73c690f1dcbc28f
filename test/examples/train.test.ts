import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { VisionLanguageModel } from '../../src/model/model.js'
import { run } from './run.js'

it('train.mjs learns to count and leaves a model that loads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'example-'))
  try {
    const { code, lines } = await run('train.mjs', [folder])
    expect(code).toBe(0)
    const right = lines.flatMap((line) => /: (\d+) of 16 right/.exec(line)?.[1] ?? []).map(Number)
    expect(right).toHaveLength(3)
    const [untrained = 0, started = 0, trained = 0] = right
    expect(started).toBeGreaterThan(untrained)
    expect(trained).toBeGreaterThan(started)
    expect(await readdir(join(folder, 'grpo'))).toEqual(
      expect.arrayContaining(['checkpoints', 'metrics.jsonl', 'samples']),
    )
    const model = await VisionLanguageModel.fromPretrained(join(folder, 'model'))
    expect(model.numParameters().total).toBeGreaterThan(50_000)
    await model.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})
