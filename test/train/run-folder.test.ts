import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { RunFolder } from '../../src/train/run-folder.js'
import { temporaryFolder } from '../support/tiny.js'

it('a line that was cut short by a full disk is written again, whole', async () => {
  const folder = await RunFolder.open(temporaryFolder())
  const file = join(folder.path, 'metrics.jsonl')
  folder.appendMetrics({ step: 1 })
  expect(await folder.flush()).toBeUndefined()
  const first = readFileSync(file, 'utf8')
  const aside = `${file}.aside`
  writeFileSync(aside, `${first}{"ste`)
  // A directory in its place fails like a full disk does.
  rmSync(file)
  mkdirSync(file)
  folder.appendMetrics({ step: 2 })
  expect(await folder.flush()).toContain('metrics.jsonl: not written')
  folder.appendMetrics({ step: 3 })
  expect(await folder.flush()).toBeUndefined()
  rmSync(file, { recursive: true })
  renameSync(aside, file)
  expect(await folder.flush()).toBeUndefined()
  expect(readFileSync(file, 'utf8')).toBe('{"step":1}\n{"step":2}\n{"step":3}\n')
  await folder.finish()
  folder.close()
})

it('samples and facts wait for the disk too', async () => {
  const folder = await RunFolder.open(temporaryFolder())
  writeFileSync(join(folder.path, 'samples'), 'in the way')
  folder.writeSamples(1, [{ completion: 'a' }])
  folder.addFacts({ firstLateReward: 1 })
  expect(await folder.flush()).toContain('samples')
  await expect(folder.finish()).rejects.toMatchObject({ code: 'E_CKPT_SAVE' })
  rmSync(join(folder.path, 'samples'))
  await folder.finish()
  expect(readFileSync(join(folder.path, 'samples/step-000001.jsonl'), 'utf8')).toBe('{"completion":"a"}\n')
  expect(JSON.parse(readFileSync(join(folder.path, 'run.json'), 'utf8'))).toEqual({ firstLateReward: 1 })
  folder.close()
})
