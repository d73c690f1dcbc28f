// Files that are written whole: a reader, also one after a crash, finds the old content or the new one, never a part.
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a file by rename. It is on the disk, under its name, when the promise resolves. Rejects as Node tells it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.part`
  const file = await open(part, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, path)
  await syncFolder(dirname(path))
}

/** Makes new names in a folder as durable as the content of its files. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** A value as JSON for people. */
export const jsonText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

/** JSON Lines: a line a value, each with its end. */
export const jsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('')
