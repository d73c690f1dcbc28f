// Writes the study's data sets: PNG files and a JSON Lines file a set, with a manifest by which a later run knows that they are whole.
import { createHash, type Hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { jsonText, writeWhole } from '../files/write.js'
import { compose, type DigitSource, type Digits, loadDigits } from './digits.js'
import { encodeGreyPng } from './png.js'
import type { ExampleSource, SetSpec } from './sets.js'

/** Raised whenever the same specification would give other files. */
const GENERATOR = 1
const MANIFEST = 'manifest.json'
/** Rows between two looks at the signal: some ten milliseconds. */
const BURST = 128

interface SetRecord {
  spec: string
  rows: number
  images: number
  /** Of the JSON Lines file and every image, in order. */
  sha256: string
}

interface Manifest {
  generator: number
  mnist: string
  sets: Record<string, SetRecord>
}

/** The data sets on disk. */
export interface StudyData {
  /** Path of a set's JSON Lines file. */
  path(name: string): string
  images: number
  /** Of the sets' digests: changes with any byte of the data. */
  sha256: string
}

export interface PrepareOptions {
  signal?: AbortSignal | undefined
  /** Called now and then with the examples written or verified so far. */
  onProgress?: (set: string, done: number, total: number) => void
}

/** Makes sure that every set of `specs` lies whole in `folder`: verified against the manifest where it is there already, else written. */
export async function prepareData(
  folder: string,
  source: DigitSource,
  specs: readonly SetSpec[],
  options: PrepareOptions = {},
): Promise<StudyData> {
  await mkdir(folder, { recursive: true })
  const manifest = await readManifest(folder, source.version)
  const total = specs.reduce((sum, spec) => sum + spec.size, 0)
  let before = 0
  let digits: Digits | undefined
  for (const spec of specs) {
    const onRow = async (row: number) => {
      options.onProgress?.(spec.name, before + row, total)
      await setImmediate()
      options.signal?.throwIfAborted()
    }
    const record = manifest.sets[spec.name]
    const whole = record?.spec === spec.key && (await digestOnDisk(folder, spec, onRow)) === record.sha256
    if (!whole) {
      digits ??= await loadDigits(source)
      manifest.sets[spec.name] = await writeSet(folder, spec, digits, onRow)
      await writeWhole(join(folder, MANIFEST), jsonText(manifest))
    }
    before += spec.size
  }
  const records = specs.map((spec) => manifest.sets[spec.name] as SetRecord)
  return {
    path: (name) => join(folder, `${name}.jsonl`),
    images: records.reduce((sum, record) => sum + record.images, 0),
    sha256: sha256(records.map((record) => record.sha256).join('\n')),
  }
}

type OnRow = (row: number) => Promise<void>

async function writeSet(folder: string, spec: SetSpec, digits: Digits, onRow: OnRow): Promise<SetRecord> {
  const images = join(folder, spec.name)
  await rm(images, { recursive: true, force: true })
  await mkdir(images, { recursive: true })
  const hash = createHash('sha256')
  const lines: string[] = []
  let written = 0
  const examples: ExampleSource = spec.examples(digits)
  for (let row = 1; row <= spec.size; row++) {
    const { problem, answer, image } = examples()
    if (image) {
      const { pixels, width, height } = compose(digits, image)
      const png = encodeGreyPng(pixels, width, height)
      const name = imageName(row)
      // Files of a few hundred bytes: the trip to another thread and back would take several times as long as the write.
      writeFileSync(join(images, name), png)
      addFile(hash, name, png)
      written++
      lines.push(JSON.stringify({ images: [`${spec.name}/${name}`], problem, answer }))
    } else {
      lines.push(JSON.stringify({ problem, answer }))
    }
    if (row % BURST === 0 || row === spec.size) await onRow(row)
  }
  const text = `${lines.join('\n')}\n`
  await writeFile(join(folder, `${spec.name}.jsonl`), text)
  addFile(hash, `${spec.name}.jsonl`, Buffer.from(text))
  return { spec: spec.key, rows: spec.size, images: written, sha256: hash.digest('hex') }
}

/** The digest of what lies there, or nothing when a file is missing. */
async function digestOnDisk(folder: string, spec: SetSpec, onRow: OnRow): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    const text = await readFile(join(folder, `${spec.name}.jsonl`))
    let row = 0
    for (const line of text.toString('utf8').split('\n').filter(Boolean)) {
      row++
      if (line.startsWith('{"images"')) {
        addFile(hash, imageName(row), readFileSync(join(folder, spec.name, imageName(row))))
      }
      if (row % BURST === 0 || row === spec.size) await onRow(row)
    }
    addFile(hash, `${spec.name}.jsonl`, text)
    return hash.digest('hex')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const imageName = (row: number): string => `${String(row).padStart(5, '0')}.png`

/** Name and length belong to the digest, so that bytes cannot move between files unnoticed. */
function addFile(hash: Hash, name: string, bytes: Uint8Array): void {
  hash.update(`${name}:${bytes.length}\n`).update(bytes)
}

async function readManifest(folder: string, mnist: string): Promise<Manifest> {
  const empty: Manifest = { generator: GENERATOR, mnist, sets: {} }
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Partial<Manifest>
    return manifest.generator === GENERATOR && manifest.mnist === mnist && manifest.sets
      ? (manifest as Manifest)
      : empty
  } catch {
    // Missing or damaged: everything is written anew.
    return empty
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
