import { describe, expect, it } from 'vitest'
import { compose, findDigits, loadDigits } from '../../src/study/digits.js'

const digits = await loadDigits(await findDigits())

describe('digits', () => {
  it('are 10,000, of which 1,000 are held out of training', () => {
    expect(digits.labels).toHaveLength(10_000)
    expect([digits.train.length, digits.heldOut.length]).toEqual([9000, 1000])
    expect(new Set([...digits.train, ...digits.heldOut]).size).toBe(10_000)
  })

  it('hold out about a tenth of every digit', () => {
    for (let digit = 0; digit < 10; digit++) {
      const count = digits.heldOut.filter((index) => digits.labels[index] === digit).length
      expect(count).toBeGreaterThan(70)
      expect(count).toBeLessThan(130)
    }
  })

  it('have ink on paper', () => {
    const pixels = digits.pixels(digits.train[0] as number)
    expect(pixels).toHaveLength(784)
    expect(pixels[0]).toBe(0)
    expect(Math.max(...pixels)).toBeGreaterThan(200)
  })

  it('stand side by side in a composed image, in order', () => {
    const { pixels, width, height } = compose(digits, [3, 5000])
    expect([width, height]).toEqual([56, 28])
    const column = (x: number) => Array.from({ length: 28 }, (_, y) => pixels[y * width + x])
    const source = (index: number, x: number) => Array.from({ length: 28 }, (_, y) => digits.pixels(index)[y * 28 + x])
    expect(column(14)).toEqual(source(3, 14))
    expect(column(28 + 14)).toEqual(source(5000, 14))
  })
})
