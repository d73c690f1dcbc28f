import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { call, native, unwrap } from '../../src/native/index.js'
import { config, temporaryFolder } from '../support/tiny.js'
import { training } from '../support/training-options.js'

const started = async (options: { sftGroup?: number } = {}) => {
  const model = new (native().NativeModel)()
  await call(model.create(JSON.stringify(config), 0, 'float32'))
  await call(model.startTraining({ ...training, ...options }))
  return model
}

it('an evaluation loss is a mean over tokens, however the run weighs its samples', async () => {
  const ids = Uint32Array.of(10, 11, 12, 13, 14, 15)
  const sample = (targets: number) => ({
    ids,
    images: [],
    targets: Uint8Array.from(ids, (_, i) => Number(i >= 6 - targets)),
  })
  const [plain, grouped] = [await started(), await started({ sftGroup: 1 })]
  const both = [sample(1), sample(5)]
  const whole = await call(grouped.sftLoss(both))
  expect(whole).toEqual(await call(plain.sftLoss(both)))
  const parts = await Promise.all(both.map((one) => call(grouped.sftLoss([one]))))
  const sum = parts.reduce((total, { loss, targetTokens }) => total + loss * targetTokens, 0)
  expect(whole.loss).toBeCloseTo(sum / 6, 6)
  // What an update minimises is another mean.
  expect((await call(grouped.sftStep(both, 0))).loss).not.toBeCloseTo(whole.loss, 6)
  await Promise.all([plain.close(), grouped.close()])
})

it('an old checkpoint that cannot be deleted is a warning beside the new one, and no obstacle to the next start', async () => {
  const run = temporaryFolder()
  const root = join(run, 'checkpoints')
  mkdirSync(root)
  const model = await started()
  const save = (step: number) => call(model.saveCheckpoint(root, step, '{}', 2, []))
  expect(await save(1)).toEqual({ path: join(root, 'step-000001') })
  // A name that is no text is none of a checkpoint's files: deleting leaves it, and so its folder.
  writeFileSync(Buffer.concat([Buffer.from(`${root}/step-000001/`), Buffer.of(0xff)]), '')
  await save(2)
  expect(await save(3)).toEqual({
    path: join(root, 'step-000003'),
    warning: expect.stringMatching(/^an old checkpoint was not deleted: .*checkpoints/),
  })
  await model.close()
  const lock = unwrap(native().lockRun(run))
  expect(readdirSync(root).filter((name) => name.startsWith('step-'))).toEqual(['step-000002', 'step-000003'])
  lock.release()
})
