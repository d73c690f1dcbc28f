// Native objects that own a thread.
import { ColdstartError } from '../errors.js'
import { type NativeModel, type NativeProcessor, native } from '../native/index.js'

interface Owners {
  NativeModel: NativeModel
  NativeProcessor: NativeProcessor
}

/**
 * A new native object with its thread. Throws `E_NATIVE_LOAD` when the system gives none, which a constructor of the binding can say
 * only by an error without a code; `E_WORKER` outside the main thread.
 */
export function started<K extends keyof Owners>(name: K): Owners[K] {
  const { [name]: Owner } = native()
  try {
    return new Owner() as Owners[K]
  } catch (cause) {
    throw new ColdstartError('E_NATIVE_LOAD', cause instanceof Error ? cause.message : String(cause), {
      cause,
      hint: 'close models that are no longer used, or raise the limit of processes and threads',
    })
  }
}
