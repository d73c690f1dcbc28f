// Compares the image processor with reference pictures: target sizes, resized pixels and patch values, all exact.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenizer as words } from '../../test/support/tiny-model.mjs'

/** A processor comes with a tokenizer; images are all that is asked of this one. */
const tokenizer = Buffer.from(JSON.stringify(words))

/** Values of the published `preprocessor_config.json`. */
const published = {
  min_pixels: 3136,
  max_pixels: 12845056,
  patch_size: 14,
  temporal_patch_size: 2,
  merge_size: 2,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
}

/**
 * Checks `folder` (pictures `NAME.png` or `.jpg` with `NAME.json` and `NAME.safetensors`, and `smart_resize.csv`).
 * Returns one line a comparison: `{ name, compared, worst, limit, ok }`.
 */
export async function checkImages(folder) {
  const { Processor } = await import('../../dist/processor/processor.js')
  const processorWith = (options) =>
    Processor.fromFiles(
      { tokenizer, config: {}, preprocessor: { ...published, ...(options.config ?? {}) } },
      { minPixels: options.min_pixels, maxPixels: options.max_pixels, alpha: options.alpha },
    )
  return [
    ...(await checkSizes(join(folder, 'smart_resize.csv'), processorWith)),
    ...(await checkPictures(folder, processorWith)),
  ]
}

async function checkSizes(file, processorWith) {
  if (!existsSync(file)) return []
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
  const processors = new Map()
  let wrong = 0
  for (const [height, width, minPixels, maxPixels, outHeight, outWidth] of rows) {
    const key = `${minPixels},${maxPixels}`
    if (!processors.has(key)) processors.set(key, await processorWith({ min_pixels: minPixels, max_pixels: maxPixels }))
    const [, h, w] = processors.get(key).gridOf(width, height)
    if (h * published.patch_size !== outHeight || w * published.patch_size !== outWidth) wrong++
  }
  for (const processor of processors.values()) await processor.close()
  return [
    { name: 'smart_resize.csv', compared: rows.length, worst: wrong, limit: 0, ok: rows.length > 0 && wrong === 0 },
  ]
}

async function checkPictures(folder, processorWith) {
  const results = []
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .sort()) {
    const name = file.replace('.safetensors', '')
    const picture = ['png', 'jpg', 'jpeg', 'webp'].map((ending) => join(folder, `${name}.${ending}`)).find(existsSync)
    const facts = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
    const expected = readSafetensors(join(folder, file))
    const processor = await processorWith(facts.options ?? {})
    const [image] = await processor.prepareImages([picture], name)
    await processor.close()
    const pixels = toBytes(image.pixelValues, image.gridThw)
    results.push(
      compare(`${name} grid`, image.gridThw, facts.grid_thw),
      compare(`${name} resized pixels`, pixels, expected.resized_rgb),
      compare(`${name} pixel values`, image.pixelValues, expected.pixel_values),
    )
  }
  return results
}

function compare(name, got, expected) {
  let worst = got.length === expected.length ? 0 : Number.POSITIVE_INFINITY
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(got[i] - expected[i]))
  return { name, compared: expected.length, worst, limit: 0, ok: worst === 0 }
}

/** Undoes patches and normalisation: `[height, width, 3]` bytes. The table from byte to value is one to one. */
function toBytes(values, [, gridHeight, gridWidth]) {
  const { patch_size: size, merge_size: merge, image_mean: mean, image_std: std } = published
  const width = gridWidth * size
  const bytes = new Uint8Array(gridHeight * size * width * 3)
  const patch = 3 * 2 * size * size
  for (let index = 0; index < gridHeight * gridWidth; index++) {
    const cell = Math.floor(index / (merge * merge))
    const inner = index % (merge * merge)
    const row = Math.floor(cell / (gridWidth / merge)) * merge + Math.floor(inner / merge)
    const column = (cell % (gridWidth / merge)) * merge + (inner % merge)
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const value = values[index * patch + (c * 2 * size + y) * size + x]
          const byte = Math.round((value * std[c] + mean[c]) * 255)
          bytes[((row * size + y) * width + column * size + x) * 3 + c] = byte
        }
      }
    }
  }
  return bytes
}

function readSafetensors(file) {
  const bytes = readFileSync(file)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8'))
  const types = { F32: Float32Array, U8: Uint8Array, I64: BigInt64Array }
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            data_offsets: [from, to],
          },
        ]) => [name, new types[dtype](Uint8Array.from(bytes.subarray(8 + length + from, 8 + length + to)).buffer)],
      ),
  )
}
