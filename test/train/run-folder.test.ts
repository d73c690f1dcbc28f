import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { RunFolder } from '../../src/train/run-folder.js'
import { fileHandles } from '../files/handles.js'
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

it('going on drops the lines of later steps and what a killed process left of one', async () => {
  const folder = await RunFolder.open(temporaryFolder())
  const file = join(folder.path, 'metrics.jsonl')
  writeFileSync(file, '{"step":1}\n{"step":2}\n{"step":3}\n{"step":2,"met')
  expect(await folder.rewindMetrics(2)).toEqual([{ step: 1 }, { step: 2 }])
  folder.appendMetrics({ step: 3 })
  await folder.finish()
  expect(readFileSync(file, 'utf8')).toBe('{"step":1}\n{"step":2}\n{"step":3}\n')
  folder.close()
})

it('every record of a run is synced, content and name', async () => {
  const folder = await RunFolder.open(temporaryFolder())
  const prototype = await fileHandles()
  const syncs = () => {
    const [data, whole] = [vi.spyOn(prototype, 'datasync'), vi.spyOn(prototype, 'sync')]
    return () => {
      const counts = [data.mock.calls.length, whole.mock.calls.length]
      vi.restoreAllMocks()
      return counts
    }
  }
  let counted = syncs()
  await folder.writeSettings({}, {})
  expect(counted()).toEqual([0, 4])
  counted = syncs()
  folder.appendMetrics({ step: 1 })
  await folder.flush()
  expect(counted()).toEqual([1, 1])
  counted = syncs()
  folder.writeSamples(1, [{ completion: 'a' }])
  await folder.flush()
  // The folder of the samples is new here.
  expect(counted()).toEqual([0, 3])
  counted = syncs()
  folder.addFacts({ firstLateReward: 1 })
  await folder.flush()
  expect(counted()).toEqual([0, 2])
  folder.close()
})
