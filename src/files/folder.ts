// Output folders: what the file system refuses is told in words, before any work is done for them.
import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { ColdstartError } from '../errors.js'

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'a file is where the folder should be',
  ENOTDIR: 'a file is where the folder should be',
  EISDIR: 'a folder is where the file should be',
  ENOENT: 'does not exist',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
}

/** Gives the file system's refusal of `place`, a path or an option with its path, its code `E_PATH`; other errors stay what they are. */
export async function asPathError<T>(place: string, work: () => Promise<T>, hint?: string): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException
    if (cause instanceof ColdstartError || code === undefined || syscall === undefined) throw cause
    throw new ColdstartError('E_PATH', `${place}: ${reasons[code] ?? code}`, { cause, hint })
  }
}

/** Makes a folder where there is none. Throws `E_PATH` where it cannot be made or written to. */
export function makeOutputFolder(path: string): Promise<void> {
  return asPathError(
    `outputDir: ${path}`,
    async () => {
      await mkdir(path, { recursive: true })
      await access(path, constants.W_OK | constants.X_OK)
    },
    'expected a folder that can be written to, or a path where one can be made',
  )
}

/** Throws `E_PATH` where there is no folder to read. */
export async function needFolder(path: string, hint: string): Promise<void> {
  const found = await asPathError(path, () => stat(path), hint)
  if (!found.isDirectory()) throw new ColdstartError('E_PATH', `${path}: expected a folder, got a file`, { hint })
}
