/** Files that are read whole: what stands in the way is said before, and in the same words everywhere. */

import { stat } from 'node:fs/promises'
import { ColdstartError } from '../errors.js'

/** Why the file system refused a file, for errors. */
export function refusalOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : `cannot be read (${code})`
}

/**
 * The size in bytes of a file. A pipe or a device has none: reading one could wait for ever.
 *
 * @param name what errors call it.
 * @throws ColdstartError `E_PATH` for what is no file, or is not there.
 */
export async function fileSize(path: string, name: string): Promise<number> {
  let found: Awaited<ReturnType<typeof stat>>
  try {
    found = await stat(path)
  } catch (cause) {
    throw new ColdstartError('E_PATH', `${name}: ${refusalOf(cause)}`, { cause })
  }
  if (!found.isFile()) throw new ColdstartError('E_PATH', `${name}: expected a file`)
  return found.size
}
