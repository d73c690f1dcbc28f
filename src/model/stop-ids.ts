// Which ids end a completion.

/** Ids of `eos_token_id` in `generation_config.json`, else in `config.json` (root or `text_config`); a number or a list. */
export function stopIdsOf(generation: Record<string, unknown>, config: Record<string, unknown>): number[] {
  const text = config.text_config as Record<string, unknown> | undefined
  for (const value of [generation.eos_token_id, config.eos_token_id, text?.eos_token_id]) {
    if (typeof value === 'number') return [value]
    if (Array.isArray(value) && value.length > 0) return value.filter((id): id is number => typeof id === 'number')
  }
  return []
}
