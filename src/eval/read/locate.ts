/** Which files of a folder hold a split: the layouts of the hub and of the benchmarks' own repositories. */

import { readdir, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { ColdstartError } from '../../errors.js'

/** Files of one split, shards in their order. */
export interface SplitFiles {
  format: 'parquet' | 'jsonl' | 'json'
  files: string[]
  /** Folder that image paths start from unless told otherwise. */
  root: string
}

const formats = ['parquet', 'jsonl', 'json'] as const

/**
 * The files of a split. A file is taken as it is; in a folder, `name.ext` or all of `name-00000-of-00002.ext` (with or
 * without a digest at the end) are looked for, there, in `data` and in a folder called `name`. Parquet goes first.
 *
 * @throws ColdstartError `E_PATH` where there is nothing, `E_DATA_FORMAT` for missing shards or two answers.
 */
export async function locateSplit(path: string, name: string): Promise<SplitFiles> {
  if (await isFile(path)) return { format: formatOf(path), files: [path], root: dirname(path) }
  const folders = [path, join(path, 'data'), join(path, name)]
  const names = await Promise.all(folders.map(namesIn))
  for (const format of formats) {
    for (const [index, folder] of folders.entries()) {
      const files = shards(names[index]!, name, format, folder)
      if (files.length > 0) return { format, files: files.map((file) => join(folder, file)), root: path }
    }
  }
  const seen = names.flat().filter((file) => formats.some((format) => file.endsWith(`.${format}`)))
  throw new ColdstartError('E_PATH', `${path}: no ${name}.parquet, .jsonl or .json in it or in ${name} or data below`, {
    hint: seen.length === 0 ? 'download the data first' : `found ${seen.slice(0, 8).join(', ')}; give the file itself`,
  })
}

/** The names that are shards of a split, in order; the whole file alone where there is one. */
function shards(names: readonly string[], split: string, format: string, folder: string): string[] {
  const found = names.flatMap((file) => {
    if (!file.startsWith(split) || !file.endsWith(`.${format}`)) return []
    const rest = file.slice(split.length, -format.length - 1)
    const [, index, count] = /^-(\d{5})-of-(\d{5})(?:-[0-9a-f]{8,64})?$/.exec(rest) ?? []
    if (index !== undefined) return [{ file, index: Number(index), count: Number(count) }]
    return rest === '' ? [{ file, index: 0, count: 1 }] : []
  })
  if (found.length === 0) return []
  found.sort((a, b) => a.index - b.index)
  const count = found[0]!.count
  if (found.length === count && found.every((shard, index) => shard.index === index && shard.count === count)) {
    return found.map(({ file }) => file)
  }
  const missing = Array.from({ length: count }, (_, index) => index).filter(
    (index) => !found.some((shard) => shard.index === index),
  )
  const list = found.map(({ file }) => file).join(', ')
  throw new ColdstartError(
    'E_DATA_FORMAT',
    missing.length > 0
      ? `${folder}: shards ${missing.join(', ')} of ${count} of ${split} are missing (found ${list})`
      : `${folder}: more than one set of files for ${split}: ${list}`,
    missing.length > 0 ? {} : { hint: 'keep one set, or give one file' },
  )
}

async function isFile(path: string): Promise<boolean> {
  try {
    const found = await stat(path)
    if (found.isFile() || found.isDirectory()) return found.isFile()
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const what = code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file or folder' : `cannot be read (${code})`
    throw new ColdstartError('E_PATH', `${path}: ${what}`, { cause })
  }
  throw new ColdstartError('E_PATH', `${path}: expected a file or a folder`)
}

function formatOf(path: string): SplitFiles['format'] {
  const extension = extname(path).toLowerCase()
  if (extension === '.parquet') return 'parquet'
  if (extension === '.jsonl' || extension === '.ndjson') return 'jsonl'
  if (extension === '.json') return 'json'
  throw new ColdstartError('E_DATA_FORMAT', `${path}: expected a .parquet, .jsonl or .json file`)
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new ColdstartError('E_PATH', `${folder}: cannot be read (${code})`, { cause })
  }
}
