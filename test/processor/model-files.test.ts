import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processorFiles, readObject, readPreprocessor } from '../../src/processor/model-files.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldstart-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const put = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value))
const image = { patch_size: 14, size: { shortest_edge: 3136, longest_edge: 50176 } }
const writtenImage = { ...image, min_pixels: 3136, max_pixels: 50176 }
const video = { patch_size: 14, fps: 2 }

describe('the settings of the image processor', () => {
  it('are those of preprocessor_config.json', async () => {
    put('preprocessor_config.json', image)
    put('processor_config.json', { processor_class: 'Qwen2_5_VLProcessor' })
    expect(await readPreprocessor(folder)).toEqual({
      preprocessor: image,
      preprocessorName: 'preprocessor_config.json',
    })
  })

  it('are those of processor_config.json if it holds them, whatever the other file says', async () => {
    put('preprocessor_config.json', { patch_size: 16 })
    put('processor_config.json', { image_processor: image, video_processor: video })
    expect(await readPreprocessor(folder)).toEqual({
      preprocessor: image,
      preprocessorName: 'processor_config.json: image_processor',
    })
  })

  it('are missed by the name of the file', async () => {
    await expect(readPreprocessor(folder)).rejects.toMatchObject({
      code: 'E_MODEL',
      message: expect.stringContaining('preprocessor_config.json: no such file; a model folder needs it'),
    })
  })
})

describe('the files of a processor', () => {
  const written = async () =>
    Object.fromEntries(
      (await processorFiles(image, folder)).map(({ name, data }) => [name, JSON.parse(Buffer.from(data).toString())]),
    )

  it('state the limits under both names, so that versions which overlook one use the same', async () => {
    expect(await written()).toEqual({ 'preprocessor_config.json': writtenImage })
    const stated = { ...image, min_pixels: 784 }
    const [file] = await processorFiles(stated, undefined)
    expect(JSON.parse(String(file?.data))).toEqual({ ...stated, max_pixels: 50176 })
  })

  it('hold one part each, also where the folder has all parts in one', async () => {
    put('processor_config.json', {
      processor_class: 'Qwen2_5_VLProcessor',
      image_processor: image,
      video_processor: video,
    })
    expect(await written()).toEqual({
      'preprocessor_config.json': writtenImage,
      'video_preprocessor_config.json': video,
      'processor_config.json': { processor_class: 'Qwen2_5_VLProcessor' },
    })
  })

  it('keep the video settings that lie in a file already', async () => {
    put('video_preprocessor_config.json', video)
    expect(await written()).toEqual({
      'preprocessor_config.json': writtenImage,
      'video_preprocessor_config.json': video,
    })
  })

  it('are the image settings alone where there is no folder', async () => {
    expect((await processorFiles(image, undefined)).map(({ name }) => name)).toEqual(['preprocessor_config.json'])
  })
})

describe('a JSON file of a model folder', () => {
  it.each([
    ['[]', 'expected an object, got a list'],
    ['null', 'expected an object, got null'],
    ['{', 'not valid JSON'],
  ])('that holds %s is refused by its path', async (text, message) => {
    put('config.json', text)
    const path = join(folder, 'config.json')
    await expect(readObject(path)).rejects.toMatchObject({ code: 'E_MODEL', message: `${path}: ${message}` })
  })
})
