// Tokens that stand for images and videos, by the names that every Qwen2.5-VL tokenizer gives them.

const names = new Set(['<|vision_start|>', '<|vision_end|>', '<|vision_pad|>', '<|image_pad|>', '<|video_pad|>'])

/** Their ids by `tokenizer.json`; a `config.json` need not name them all, and those of transformers 5 do not. */
export function visionTokensOf(tokenizer: Uint8Array): number[] {
  const { added_tokens: added } = JSON.parse(Buffer.from(tokenizer).toString()) as { added_tokens?: unknown }
  if (!Array.isArray(added)) return []
  return added.flatMap(({ id, content }: { id?: unknown; content?: unknown }) =>
    typeof id === 'number' && typeof content === 'string' && names.has(content) ? [id] : [],
  )
}
