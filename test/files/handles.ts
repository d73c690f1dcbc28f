import { type FileHandle, open } from 'node:fs/promises'

/** The prototype of file handles, whose class Node does not export: what is put in place of its methods is so for every file. */
export async function fileHandles(): Promise<FileHandle> {
  const file = await open('.', 'r')
  await file.close()
  return Object.getPrototypeOf(file)
}

/** Whether every file that a method in place of that of {@link fileHandles} was called on is closed by now. */
export function areClosed({ mock }: { mock: { contexts: unknown[] } }): boolean {
  return mock.contexts.every((file) => (file as FileHandle).fd === -1)
}
