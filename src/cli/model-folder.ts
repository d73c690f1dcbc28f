/** The model that a command was told to use. */

import { existsSync } from 'node:fs'
import { ColdstartError } from '../errors.js'

/** Throws `E_MODEL` where there is no such folder: who gives the name of a published model expects a download. */
export function needModel(path: string): void {
  if (existsSync(path)) return
  throw new ColdstartError('E_MODEL', `${path}: no such folder`, {
    hint: 'nothing is downloaded: give a local folder with config.json, tokenizer.json and weights',
  })
}
