import { describe, expect, it } from 'vitest'
import { arithmetic, reading, reasonedSum, sum } from '../../src/study/problems.js'
import { random } from '../../src/study/random.js'
import { modelConfig } from '../../src/study/recipe.js'
import { numTokens, tokenId, tokenizer } from '../../src/study/vocabulary.js'

const { model, added_tokens } = tokenizer() as {
  model: { vocab: Record<string, number> }
  added_tokens: { id: number; content: string; special: boolean }[]
}

describe('vocabulary', () => {
  it('has every word of every problem, each apart from the next', () => {
    const source = random(0, 'vocabulary')
    const problems = Array.from({ length: 300 }, () => {
      const digits = Array.from({ length: 4 }, () => source.below(10))
      return [arithmetic(source), reading(digits), sum(digits), reasonedSum(digits)]
    }).flat()
    // Golds of sums are compared, never encoded.
    const texts = problems.flatMap(({ problem, answer }) =>
      problem.startsWith('what') && !answer.includes(' ') ? [problem] : [problem, answer],
    )
    const words = new Set(texts.flatMap((text) => text.split(' ').filter(Boolean)))
    expect([...words].filter((word) => model.vocab[word] === undefined)).toEqual([])
  })

  it('fits the model, with distinct ids from 0', () => {
    expect(numTokens).toBeLessThanOrEqual(modelConfig().vocab_size as number)
    expect(Object.values(model.vocab).sort((a, b) => a - b)).toEqual(Array.from({ length: numTokens }, (_, i) => i))
  })

  it('marks the template tokens as special, under the ids of the vocabulary', () => {
    for (const token of [
      '<|im_start|>',
      '<|im_end|>',
      '<|endoftext|>',
      '<|vision_start|>',
      '<|vision_end|>',
      '<|image_pad|>',
    ]) {
      expect(added_tokens.find(({ content }) => content === token)).toMatchObject({
        id: model.vocab[token],
        special: true,
      })
    }
  })

  it('refuses to name an id for a word it does not have', () => {
    expect(() => tokenId('cat')).toThrow('cat')
  })
})
