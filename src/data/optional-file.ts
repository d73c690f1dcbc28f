import { readFile } from 'node:fs/promises'

/** The bytes of a file; undefined where there is none. Other faults reject as Node tells them. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
