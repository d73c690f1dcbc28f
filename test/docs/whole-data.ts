// Data sets as large as the published ones, made of a few rows over and over: a guide's commands are for whole data.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchmarks } from '../../src/eval/benchmarks/index.js'
import type { BenchmarkName } from '../../src/eval/types.js'
import { published } from '../eval/fixtures/published.js'
import { picture } from '../support/tiny.js'

type Fields = Record<string, unknown>

/** What makes row `n` another one than the row that it repeats. */
const identity: Record<BenchmarkName, (n: number) => Fields> = {
  mathvista: (n) => ({ pid: String(n + 1), decoded_image: null, image: 'images/a.png' }),
  mathverse: (n) => ({
    sample_index: String(n + 1),
    problem_index: String(Math.floor(n / 5) + 1),
    image: 'images/a.png',
  }),
  mathvision: (n) => ({ id: String(n + 1), decoded_image: null, image: 'images/a.png' }),
  wemath: (n) => ({ ...stepOf(n), image_path: 'images/a.png' }),
  geometry3k: () => ({ images: ['images/a.png'] }),
}

/** 360 problems of two steps, then 165 of three. */
function stepOf(n: number): { ID: string; key: string } {
  const [steps, at] = n < 1080 ? [2, n] : [3, n - 1080]
  const place = at % (steps + 1)
  return {
    ID: `${steps}steps_${Math.floor(at / (steps + 1))}`,
    key: `${steps}steps_${place < steps ? place + 1 : 'multi'}`,
  }
}

/** Writes the default split of a benchmark as JSON lines with one picture; returns the folder. */
export async function wholeData(name: BenchmarkName, folder: string): Promise<string> {
  const [[split, { rows: count }] = ['', { rows: 0 }]] = Object.entries(benchmarks[name].splits)
  const { rows } = published[name]
  const lines = Array.from({ length: count }, (_, n) => ({ ...rows[n % rows.length], ...identity[name](n) }))
  mkdirSync(join(folder, 'images'), { recursive: true })
  writeFileSync(join(folder, 'images/a.png'), await picture('teal', 56, 28))
  const numbers = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
  writeFileSync(join(folder, `${split}.jsonl`), lines.map((line) => `${JSON.stringify(line, numbers)}\n`).join(''))
  return folder
}

/** Boxed responses to Geometry3K of which `share` are right, those of a larger share among them for the most part. */
export function geometryResponses(path: string, share: number, seed: number): void {
  const { rows } = published.geometry3k
  const lines = Array.from({ length: 601 }, (_, n) => {
    // Three parts of the draw belong to the row, one to the run.
    const draw = (3 * unit(n) + unit(1000 * seed + n)) / 4
    const answer = draw < share ? rows[n % rows.length]?.answer : '0'
    return JSON.stringify({ id: n, response: `<think>…</think> \\boxed{${answer}}` })
  })
  writeFileSync(path, `${lines.join('\n')}\n`)
}

/** A number in [0, 1) for a number, that of its neighbour far away. */
function unit(n: number): number {
  const x = Math.imul(n + 1, 0x9e3779b1)
  return (Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0) / 2 ** 32
}
