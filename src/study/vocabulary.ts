// The tokenizer of the study: Qwen's template tokens and the few words its problems are made of.

const TEMPLATE_TOKENS = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|vision_start|>',
  '<|vision_end|>',
  '<|vision_pad|>',
  '<|image_pad|>',
  '<|video_pad|>',
]
const UNKNOWN = '<unk>'
const WORDS =
  'system user assistant 0 1 2 3 4 5 6 7 8 9 + = ; , . ? \\boxed{ } read the digits are what is sum count so answer'.split(
    ' ',
  )

const TOKENS = [...TEMPLATE_TOKENS, UNKNOWN, ...WORDS]

/** Id of a token; the token must be one of the vocabulary. */
export function tokenId(token: string): number {
  const id = TOKENS.indexOf(token)
  if (id < 0) throw new RangeError(`the study's vocabulary has no ${JSON.stringify(token)}`)
  return id
}

/** Number of tokens. The model's embedding has more rows, as Qwen's has: the rows above are never sampled. */
export const numTokens = TOKENS.length

/**
 * tokenizer.json: splits at white space, and takes digits and signs apart even where they touch. Without a decoder the tokens of a text
 * are joined with spaces, which is how the problems are written.
 */
export function tokenizer(): Record<string, unknown> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...TEMPLATE_TOKENS, UNKNOWN].map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'WhitespaceSplit' },
        { type: 'Split', pattern: { Regex: '\\\\boxed\\{|[0-9]|[}+=;,.?]' }, behavior: 'Isolated', invert: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])), unk_token: UNKNOWN },
  }
}
