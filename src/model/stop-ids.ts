// Which ids end a completion.
import { ColdstartError } from '../errors.js'

/**
 * Ids of `eos_token_id` in `generation_config.json`, else in `config.json` (root or `text_config`); a number or a list. Throws `E_MODEL`
 * for anything else.
 */
export function stopIdsOf(generation: Record<string, unknown>, config: Record<string, unknown>): number[] {
  const text = config.text_config as Record<string, unknown> | undefined
  const places: [string, unknown][] = [
    ['generation_config.json: eos_token_id', generation.eos_token_id],
    ['config.json: eos_token_id', config.eos_token_id],
    ['config.json: text_config.eos_token_id', text?.eos_token_id],
  ]
  for (const [name, value] of places) {
    if (value === undefined || value === null) continue
    const ids: unknown[] = Array.isArray(value) ? value : [value]
    if (!ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0)) {
      throw new ColdstartError('E_MODEL', `${name}: expected an id or a list of ids, got ${JSON.stringify(value)}`)
    }
    if (ids.length > 0) return ids as number[]
  }
  return []
}
