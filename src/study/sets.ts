// Which data sets the study is made of. Sets of a seed carry its number; the others are shared by all seeds.
import type { Digits } from './digits.js'
import { arithmetic, type Problem, reading, reasonedSum, sum } from './problems.js'
import { type Random, random } from './random.js'
import { type Scale, TABLE_DIGITS } from './recipe.js'

/** An example, and the digits (as indices) of its image if it has one. */
export interface Example extends Problem {
  image?: number[]
}

/** Gives the next example at each call. */
export type ExampleSource = () => Example

/** One data set: `size` examples drawn from a stream of its own. */
export interface SetSpec {
  name: string
  size: number
  /** Names everything the examples depend on besides the digits. */
  key: string
  examples: (digits: Digits) => ExampleSource
}

/** Names of the sets. */
export const setNames = {
  base: 'base',
  coldStart: (seed: number) => `cold-start-${seed}`,
  sums: 'sums',
  heldOut: (digits: number) => `held-out-${digits}`,
  heldOutReading: 'held-out-reading',
}

/** Every set of a study with this many seeds. */
export function dataSets(scale: Scale, seeds: number): SetSpec[] {
  const seedSets = Array.from({ length: seeds }, (_, seed) =>
    set(setNames.coldStart(seed), scale.coldStart, 'train', [2, 4], reasonedSum),
  )
  return [
    baseSet(scale.reading),
    ...seedSets,
    set(setNames.sums, scale.sums, 'train', [TABLE_DIGITS, TABLE_DIGITS], sum),
    set(setNames.heldOut(TABLE_DIGITS), scale.heldOut, 'heldOut', [TABLE_DIGITS, TABLE_DIGITS], sum),
    // The very images of the table, to be read instead of added: its stream of digits has the same name.
    set(
      setNames.heldOutReading,
      scale.heldOut,
      'heldOut',
      [TABLE_DIGITS, TABLE_DIGITS],
      reading,
      setNames.heldOut(TABLE_DIGITS),
    ),
    ...otherLengths.map((digits) =>
      set(setNames.heldOut(digits), scale.otherLengths, 'heldOut', [digits, digits], sum),
    ),
  ]
}

/** Lengths that reinforcement learning never sees. */
export const otherLengths: readonly number[] = [2, 4]

function set(
  name: string,
  size: number,
  split: 'train' | 'heldOut',
  [low, high]: [number, number],
  problem: (digits: number[]) => Problem,
  stream = name,
): SetSpec {
  return {
    name,
    size,
    key: `${size} of ${low}-${high} ${split} digits`,
    examples: (digits) => {
      const source = random(0, stream)
      return () => {
        const image = draw(digits[split], source.between(low, high), source)
        return { ...problem(image.map((index) => digits.labels[index] as number)), image }
      }
    },
  }
}

/** Images to read and texts to compute in turn. */
function baseSet(images: number): SetSpec {
  return {
    name: setNames.base,
    size: 2 * images,
    key: `${images} of 2-4 train digits, ${images} texts`,
    examples: (digits) => {
      const source = random(0, setNames.base)
      let count = 0
      return () => {
        if (count++ % 2 === 1) return arithmetic(source)
        const image = draw(digits.train, source.between(2, 4), source)
        return { ...reading(image.map((index) => digits.labels[index] as number)), image }
      }
    },
  }
}

/** `count` of the split's digits, each drawn from all of them. */
function draw(split: readonly number[], count: number, source: Random): number[] {
  return Array.from({ length: count }, () => split[source.below(split.length)] as number)
}
