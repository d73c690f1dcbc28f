// A real model small enough that a test trains it in seconds, with pictures it can tell apart.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { type DType, VisionLanguageModel } from '../../src/index.js'
import { config, preprocessor, tokenizer } from './tiny-model.mjs'

export { config, tokenizer } from './tiny-model.mjs'

export function tinyModel(options: { seed?: number; dtype?: DType } = {}): Promise<VisionLanguageModel> {
  return VisionLanguageModel.fromConfig(config, {
    tokenizer,
    preprocessor,
    generationConfig: { eos_token_id: 2 },
    ...options,
  })
}

const colours: Record<string, [number, number, number]> = {
  red: [255, 0, 0],
  green: [0, 128, 0],
  blue: [0, 0, 255],
  black: [0, 0, 0],
  white: [255, 255, 255],
  grey: [128, 128, 128],
  pink: [255, 160, 180],
  lime: [0, 255, 0],
  gold: [255, 200, 0],
  teal: [0, 128, 128],
}

export const colourNames = Object.keys(colours)

/** A PNG of one colour, `width` × `height` pixels. */
export function picture(colour: string, width = 28, height = 28): Promise<Buffer> {
  const [r, g, b] = colours[colour] ?? [1, 2, 3]
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer()
}

/** One question a colour, with its picture. */
export function colourRows(): Promise<{ images: Buffer[]; problem: string; answer: string }[]> {
  return Promise.all(
    colourNames.map(async (answer, i) => ({
      images: [await picture(answer, 28 + 28 * (i % 3))],
      problem: '<image> what is it ?',
      answer,
    })),
  )
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'coldstart-'))
}
