/**
 * The one error class of the package, its codes, and the exit code each of them gives the command line.
 */

/** What went wrong, as a stable name, in the order of the exit codes they give: 2, 3, 4, 6 and 1. */
export type ErrorCode =
  | 'E_USAGE'
  | 'E_CONFIG'
  | 'E_DATA_ROW'
  | 'E_DATA_FORMAT'
  | 'E_IMAGE_FORMAT'
  | 'E_IMAGE_DECODE'
  | 'E_IMAGE_LIMIT'
  | 'E_IMAGE_MODE'
  | 'E_TOKEN_COUNT'
  | 'E_TOO_LONG'
  | 'E_PATH'
  | 'E_WEIGHTS'
  | 'E_MODEL'
  | 'E_MODEL_UNSAFE'
  | 'E_TOKENIZER'
  | 'E_TEMPLATE'
  | 'E_CKPT_CORRUPT'
  | 'E_CKPT_MISMATCH'
  | 'E_URL_BLOCKED'
  | 'E_JUDGE'
  | 'E_DIVERGED'
  | 'E_CKPT_SAVE'
  | 'E_BUSY'
  | 'E_CLOSED'
  | 'E_WORKER'
  | 'E_REWARD'
  | 'E_REWARD_TIMEOUT'
  | 'E_REWARD_RATE'
  | 'E_NATIVE_LOAD'
  | 'E_NATIVE_PANIC'

/** The exit code of each: usage and configuration 2, data and files 3, network 4, divergence 6, the rest 1. 5 is kept for memory. */
const exitCodes: Readonly<Record<ErrorCode, number>> = {
  E_USAGE: 2,
  E_CONFIG: 2,
  E_DATA_ROW: 3,
  E_DATA_FORMAT: 3,
  E_IMAGE_FORMAT: 3,
  E_IMAGE_DECODE: 3,
  E_IMAGE_LIMIT: 3,
  E_IMAGE_MODE: 3,
  E_TOKEN_COUNT: 3,
  E_TOO_LONG: 3,
  E_PATH: 3,
  E_WEIGHTS: 3,
  E_MODEL: 3,
  E_MODEL_UNSAFE: 3,
  E_TOKENIZER: 3,
  E_TEMPLATE: 3,
  E_CKPT_CORRUPT: 3,
  E_CKPT_MISMATCH: 3,
  E_URL_BLOCKED: 4,
  E_JUDGE: 4,
  E_DIVERGED: 6,
  E_CKPT_SAVE: 1,
  E_BUSY: 1,
  E_CLOSED: 1,
  E_WORKER: 1,
  E_REWARD: 1,
  E_REWARD_TIMEOUT: 1,
  E_REWARD_RATE: 1,
  E_NATIVE_LOAD: 1,
  E_NATIVE_PANIC: 1,
}

/** Every code of {@link ErrorCode}. */
export const errorCodes = Object.keys(exitCodes) as readonly ErrorCode[]

/** What an error may carry besides its message. */
export interface ColdstartErrorOptions {
  /** What to do about it, one sentence. */
  hint?: string | undefined
  /** The values the message speaks of, for programs. */
  details?: Record<string, unknown> | undefined
  /** The error underneath. */
  cause?: unknown
}

/**
 * Every error this package throws on purpose. An aborted call rejects with its signal's reason instead.
 *
 * ```ts
 * try {
 *   await loadDataset('train.jsonl')
 * } catch (error) {
 *   if (error instanceof ColdstartError && error.code === 'E_DATA_ROW') console.error(error.hint)
 * }
 * ```
 */
export class ColdstartError extends Error {
  /** Stable name of what went wrong. */
  readonly code: ErrorCode
  /** What to do about it. */
  declare readonly hint?: string
  /** The values the message speaks of. */
  declare readonly details?: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: ColdstartErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ColdstartError'
    this.code = code
    if (options.hint !== undefined) this.hint = options.hint
    if (options.details !== undefined) this.details = options.details
  }
}

/**
 * The exit code of the command line for an error: 2 usage and configuration, 3 data and files, 4 network,
 * 6 divergence, 1 everything else.
 */
export function exitCodeOf(error: unknown): number {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' && Object.hasOwn(exitCodes, code) ? exitCodes[code as ErrorCode] : 1
}
