// Ids that sampling must never return, whatever the weights say.

const visionFields = [
  'image_token_id',
  'video_token_id',
  'vision_start_token_id',
  'vision_end_token_id',
  'vision_token_id',
] as const

/** Ids of vision tokens by `config.json` (root first, then `text_config`), and embedding rows that belong to no token. */
export function bannedIdsOf(config: Record<string, unknown>, tokenizerSize: number): number[] {
  const text = (config.text_config ?? {}) as Record<string, unknown>
  const vision = visionFields
    .map((name) => config[name] ?? text[name])
    // Whatever else stands there, -1 for none perhaps, bans nothing.
    .filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0)
  const vocabulary = vocabularyOf(config, tokenizerSize)
  const unused = Array.from({ length: Math.max(0, vocabulary - tokenizerSize) }, (_, i) => tokenizerSize + i)
  return [...new Set([...vision, ...unused])].filter((id) => id < vocabulary).sort((a, b) => a - b)
}

/** Rows of the embedding: ids are below it. */
export function vocabularyOf(config: Record<string, unknown>, tokenizerSize: number): number {
  const text = (config.text_config ?? {}) as Record<string, unknown>
  return Number(text.vocab_size ?? config.vocab_size ?? tokenizerSize)
}
