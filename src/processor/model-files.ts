// Files of a model folder, read with errors that name them. The image processor's settings may lie in either of two.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { refusalOf } from '../data/file.js'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'

/** Settings of the image processor alone: every version of transformers reads it, none since 5 writes it with a processor. */
const imageFile = 'preprocessor_config.json'
const videoFile = 'video_preprocessor_config.json'
/** What transformers 5 writes: the settings of all parts of a processor. Older versions do not find them there. */
const processorFile = 'processor_config.json'

type Json = Record<string, unknown>

/** A file to be written into a model folder. */
export interface ModelFile {
  name: string
  data: Uint8Array
}

/** Throws `E_MODEL` where there is no such file. */
export async function readNeeded(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new ColdstartError('E_MODEL', `${path}: ${refusalOf(cause)}; a model folder needs it`, { cause })
  }
}

/** The bytes of a file that a folder may lack. Throws `E_MODEL` for one that is there and cannot be read. */
export async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readIfPresent(path)
  } catch (cause) {
    throw new ColdstartError('E_MODEL', `${path}: ${refusalOf(cause)}`, { cause })
  }
}

/** The object in a JSON file. Throws `E_MODEL` where it is not one or cannot be read, and without a `fallback` where there is none. */
export async function readObject(path: string, fallback?: Json): Promise<Json> {
  const bytes = fallback ? await readOptional(path) : await readNeeded(path)
  return bytes ? parseObject(path, bytes) : (fallback as Json)
}

/** Settings of the image processor, found where transformers looks for them, and what errors call the place. */
export async function readPreprocessor(folder: string): Promise<{ preprocessor: Json; preprocessorName: string }> {
  const { image_processor: part } = await readObject(join(folder, processorFile), {})
  if (isObject(part)) return { preprocessor: part, preprocessorName: `${processorFile}: image_processor` }
  return { preprocessor: await readObject(join(folder, imageFile)), preprocessorName: imageFile }
}

/**
 * The files of a processor with these image settings, and whatever else `folder` has of it. Parts that lie together there get a file
 * each, because that is the layout which transformers of any version loads.
 */
export async function processorFiles(preprocessor: Json, folder: string | undefined): Promise<ModelFile[]> {
  const files = [jsonFile(imageFile, withPixelLimits(preprocessor))]
  if (folder === undefined) return files
  const path = join(folder, processorFile)
  const bytes = await readOptional(path)
  const { image_processor: _, video_processor: video, ...rest } = bytes ? parseObject(path, bytes) : {}
  const videoBytes = await readOptional(join(folder, videoFile))
  if (isObject(video)) files.push(jsonFile(videoFile, video))
  else if (videoBytes) files.push({ name: videoFile, data: videoBytes })
  if (bytes) files.push(jsonFile(processorFile, rest))
  return files
}

/** The limits under both names they have: versions before 5 read `size` and then take their defaults instead. */
function withPixelLimits(preprocessor: Json): Json {
  if (!isObject(preprocessor.size)) return preprocessor
  const { shortest_edge, longest_edge } = preprocessor.size
  const { min_pixels, max_pixels } = preprocessor
  return { ...preprocessor, min_pixels: min_pixels ?? shortest_edge, max_pixels: max_pixels ?? longest_edge }
}

/** A file with `value` as JSON. */
export function jsonFile(name: string, value: unknown): ModelFile {
  return { name, data: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) }
}

function parseObject(path: string, bytes: Uint8Array): Json {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new ColdstartError('E_MODEL', `${path}: not valid JSON`, { cause })
  }
  if (isObject(value)) return value
  throw new ColdstartError('E_MODEL', `${path}: expected an object, got ${Array.isArray(value) ? 'a list' : value}`)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
