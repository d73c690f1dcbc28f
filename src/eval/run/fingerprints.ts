/** Digests of what a run depends on beyond its settings: the model's files, the file of responses, the prompts. */

import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ColdstartError } from '../../errors.js'
import type { PromptText } from '../types.js'

/** Files of a model folder that decide what the model says; others (readme, optimizer state) do not count. */
const decisive =
  /^(.*\.safetensors(\.index\.json)?|(config|generation_config|preprocessor_config|processor_config|tokenizer|tokenizer_config)\.json|chat_template\.(json|jinja))$/

/**
 * SHA-256, in hex, over names and contents of the files of a model folder that decide its responses. Weights of several
 * gigabytes take some seconds; without it a resumed run could go on with another checkpoint of the same shape.
 */
export async function modelFingerprint(folder: string, signal?: AbortSignal): Promise<string> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter((name) => decisive.test(name)).sort()
  } catch (cause) {
    throw new ColdstartError('E_MODEL', `${folder}: cannot be read; expected a model folder`, { cause })
  }
  if (!names.includes('config.json'))
    throw new ColdstartError('E_MODEL', `${folder}: no config.json; expected a model folder`)
  const hash = createHash('sha256')
  for (const name of names) {
    hash.update(`${name}\n`)
    await addFile(hash, join(folder, name), signal)
  }
  return hash.digest('hex')
}

/** SHA-256, in hex, of a file. */
export async function fileFingerprint(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await addFile(hash, path, signal)
  return hash.digest('hex')
}

/** SHA-256, in hex, of a prompt's words. Images are the data's: their digest is that of the whole run. */
export function promptHash({ system, text }: PromptText): string {
  return createHash('sha256')
    .update(JSON.stringify([system ?? null, text]))
    .digest('hex')
}

async function addFile(hash: Hash, path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 22 }) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted()
      hash.update(chunk)
    }
  } catch (cause) {
    signal?.throwIfAborted()
    throw new ColdstartError('E_PATH', `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
}
