// The one place that touches the generated binding: loads it when first needed and turns failures that cross as values into errors.
import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import type * as Binding from '../../index.js'
import { ColdstartError, type ErrorCode } from '../errors.js'

export type {
  CompletionGroup as NativeGroup,
  Failure,
  GenerateRequest as NativeRequest,
  GenerationEvent as NativeEvent,
  GraderLimits,
  ModelInfo as NativeModelInfo,
  NativeModel,
  NativeProcessor,
  PreparedImage,
  TrainSample as NativeSample,
} from '../../index.js'

let binding: typeof Binding | undefined

/** The addon. Throws `E_WORKER` outside the main thread and `E_NATIVE_LOAD` when there is no binary for this platform. */
export function native(): typeof Binding {
  if (binding) return binding
  if (!isMainThread) {
    throw new ColdstartError('E_WORKER', 'coldstart was loaded in a worker thread; it runs on the main thread only', {
      hint: 'use a child process (node:child_process) instead of a worker thread',
    })
  }
  try {
    binding = createRequire(import.meta.url)('../../index.js') as typeof Binding
  } catch (cause) {
    throw new ColdstartError(
      'E_NATIVE_LOAD',
      `no native addon for ${process.platform}-${process.arch} (Node ${process.versions.node}): ${firstLine(cause)}`,
      { cause, hint: 'in a clone run `npm run build`; otherwise reinstall with optional dependencies enabled' },
    )
  }
  return binding
}

type NameOf = (request: number) => string

const numbered: NameOf = (request) => `request ${request}`

/** The value, or the failure thrown as {@link ColdstartError}; `nameOf` is what its reader calls a request. */
export function unwrap<T>(outcome: T | Binding.Failure, nameOf = numbered): T {
  if (!isFailure(outcome)) return outcome
  const { failure, message, request } = outcome
  const place = request === undefined ? '' : `${nameOf(request)}: `
  throw new ColdstartError(failure as ErrorCode, place + message)
}

/** Awaits a native command; failures and panics arrive as {@link ColdstartError}, an abort as the reason of `signal`. */
export async function call<T>(
  outcome: Promise<T | Binding.Failure>,
  signal?: AbortSignal,
  nameOf = numbered,
): Promise<T> {
  const result = await outcome
  if (isFailure(result) && result.failure === 'E_ABORTED') signal?.throwIfAborted()
  return unwrap(result, nameOf)
}

function isFailure(value: unknown): value is Binding.Failure {
  return typeof value === 'object' && value !== null && typeof (value as Binding.Failure).failure === 'string'
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
