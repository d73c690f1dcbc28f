// A processor and a model must cut images alike and mean the same token by an image. Each comes from files of its own, so they are
// compared when both are known, not when the first image fails.
import { ColdstartError } from '../errors.js'
import type { ProcessorFiles } from './processor.js'

/** Fields of `vision_config`, what the image processor calls them, and what it takes when its settings leave them out. */
const shared = [
  ['patch_size', 'patch_size', 14],
  ['temporal_patch_size', 'temporal_patch_size', 2],
  ['spatial_merge_size', 'merge_size', 2],
] as const

const imagePad = '<|image_pad|>'

/**
 * Throws `E_CONFIG` when the image processor or the tokenizer contradicts `config.json`. What the config does not state as a number
 * is for the engine to judge.
 * @param vocabulary ids of the tokenizer are below it
 * @param token text of an id, special tokens included
 */
export function checkAgreement(files: ProcessorFiles, vocabulary: number, token: (id: number) => string): void {
  const { config, preprocessor, preprocessorName = 'preprocessor_config.json' } = files
  const vision = (config.vision_config ?? {}) as Record<string, unknown>
  for (const [field, name, fallback] of shared) {
    const [expected, got] = [vision[field], preprocessor[name] ?? fallback]
    if (typeof expected !== 'number' || got === expected) continue
    throw new ColdstartError(
      'E_CONFIG',
      `${preprocessorName}: ${name}: expected ${expected}, the ${field} of vision_config in config.json, got ${got}`,
    )
  }
  const id = config.image_token_id
  if (typeof id !== 'number' || token(id) === imagePad) return
  const known = Array.from({ length: vocabulary }, (_, id) => id).find((id) => token(id) === imagePad)
  if (known === undefined) return
  throw new ColdstartError(
    'E_CONFIG',
    `config.json: image_token_id: expected ${known}, the id of ${imagePad} in tokenizer.json, got ${id}`,
  )
}
