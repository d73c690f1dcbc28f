import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { benchmarks } from '../../src/eval/benchmarks/index.js'
import { judgePrompt, mathvistaExamples } from '../../src/eval/judge-prompts.js'
import { promptTexts } from '../../src/eval/prompt-texts.js'
import type { Benchmark, PresetName, ProtocolOptions } from '../../src/eval/types.js'
import {
  image,
  mathverseChoice,
  mathverseVisionOnly,
  mathvisionChoice,
  mathvisionFree,
  mathvistaChoice,
  mathvistaFloat,
  rowOf,
  wemathStep,
} from './benchmark-rows.js'

const { mathvista, mathverse, mathvision, wemath, geometry3k } = benchmarks

function promptOf(
  benchmark: Benchmark,
  preset: PresetName,
  values: Record<string, unknown>,
  options?: ProtocolOptions,
) {
  const protocol = benchmark.protocols[preset]!
  return protocol.prompt(rowOf(benchmark, values), { ...protocol.options, ...options })
}

const suffix = '\nPlease reason step by step, and put your final answer within \\boxed{}'

describe('the preset paper', () => {
  it.each<[Benchmark, Record<string, unknown>, string]>([
    [
      mathvista,
      mathvistaChoice,
      'Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\nQuestion: Which is  longer, <image1>?\nChoices:\n(A) 12 cm\n(B) 15 cm\n(C) 9 cm',
    ],
    [mathverse, mathverseChoice, 'Find the angle. \nChoices:\nA:40°\nB:60°'],
    [mathverse, mathverseVisionOnly, ''],
    [mathvision, mathvisionChoice, 'Which one?\n<image1> \n(A) red\n(B) green\n(C) blue\n(D) black\n(E) white'],
    [mathvision, mathvisionFree, 'How many?'],
    [wemath, wemathStep, 'How long is it?\nA. 5;B. 6; C. No correct answer'],
  ])('asks %#: question without <image>, then the suffix, after a system sentence', (benchmark, values, question) => {
    const { system, text, images } = promptOf(benchmark, 'paper', values)
    expect(system).toBe('You are a helpful assistant.')
    expect(text).toBe(question + suffix)
    expect(images).toHaveLength(1)
  })

  it('takes another suffix as it is', () => {
    const { text } = promptOf(wemath, 'paper', wemathStep, { suffix: ' Box it.' })
    expect(text).toBe('How long is it?\nA. 5;B. 6; C. No correct answer Box it.')
  })

  it('shows the first image only', () => {
    const images = [image('a'), image('b')]
    const values = { ...mathvisionFree, decoded_image: images }
    expect(promptOf(mathvision, 'paper', values).images).toEqual(images.slice(0, 1))
    expect(promptOf(mathvision, 'vlmevalkit', values).images).toEqual(images)
  })

  it('fixes pixels and sampling', () => {
    const { pixels, sampling } = mathvista.protocols.paper!
    expect(pixels).toEqual({ minPixels: 50_176, maxPixels: 1_003_520 })
    expect(sampling).toEqual({ temperature: 0.2, maxNewTokens: 16_384 })
  })
})

describe('the preset vlmevalkit', () => {
  it.each<[Benchmark, Record<string, unknown>, ProtocolOptions, string]>([
    [
      mathvista,
      mathvistaFloat,
      {},
      'Hint: Please answer the question requiring a floating-point number with two decimal places and provide the final value, e.g., 1.23, 1.34, 1.45, at the end.\nQuestion: How heavy? (Unit: g)',
    ],
    [mathverse, mathverseChoice, {}, 'Find the angle. <image>\nChoices:\nA:40°\nB:60°'],
    [mathverse, mathverseChoice, { cot: true }, 'Please first conduct reasoning, and then answer.\nQuestion: Q'],
    [
      mathvision,
      mathvisionChoice,
      {},
      'Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\nQuestion: Which one?\n<image1> <image>\nChoices:\n(A) red\n(B) green\n(C) blue\n(D) black\n(E) white',
    ],
    [
      mathvision,
      mathvisionFree,
      {},
      'Hint: Please answer the question and provide the final answer at the end.\nQuestion: How many?',
    ],
    [wemath, wemathStep, {}, 'Question: How long is it?\nOptions:\nA. 5\nB. 6\nC. No correct answer\n'],
    [
      wemath,
      wemathStep,
      { cot: true },
      'Question: How long is it?\nOptions:\nA. 5\nB. 6\nC. No correct answer\n\nRegarding the format, please answer following the template below, and be sure to include two <> symbols:\n<Thought process>: <<your thought process>> <Answer>: <<your option>>',
    ],
  ])('asks %#: text alone, no system sentence, no suffix', (benchmark, values, options, question) => {
    const { system, text } = promptOf(benchmark, 'vlmevalkit', values, options)
    expect(system).toBeUndefined()
    expect(text).toBe(question)
  })

  it('fixes pixels and sampling', () => {
    const { pixels, sampling } = wemath.protocols.vlmevalkit!
    expect(pixels).toEqual({ minPixels: 1_003_520, maxPixels: 12_845_056 })
    expect(sampling).toEqual({ temperature: 0.01, topP: 0.001, topK: 1, repetitionPenalty: 1, maxNewTokens: 2048 })
  })
})

describe('the preset official', () => {
  it.each<[Benchmark, Record<string, unknown>, ProtocolOptions, string]>([
    [mathvista, { ...mathvistaChoice, query: 'Published query' }, {}, 'Published query'],
    [
      mathverse,
      mathverseChoice,
      { cot: false },
      'Please directly answer the question and provide the correct option letter, e.g., A, B, C, D.\nQuestion: Q',
    ],
    [mathverse, mathverseChoice, {}, 'Please first conduct reasoning, and then answer.\nQuestion: Q'],
    [
      mathvision,
      mathvisionChoice,
      {},
      'Please first solve the problem step by step, then put your final answer or a single letter (if it is a multiple choice question) in one "\\boxed{}". \nWhich one?\n<image1> <image>\n(A) red\n(B) green\n(C) blue\n(D) black\n(E) white\n',
    ],
    [
      mathvision,
      mathvisionFree,
      {},
      'Please first solve the problem step by step, then put your final answer or a single letter (if it is a multiple choice question) in one "\\boxed{}". \nHow many?\n',
    ],
    [
      wemath,
      wemathStep,
      {},
      'Now, we require you to solve a multiple-choice math question. Please briefly describe your thought process and provide the final answer(option).\nQuestion: How long is it?\nOption: A. 5;B. 6; C. No correct answer\nRegarding the format, please answer following the template below, and be sure to include two <> symbols:\n<Thought process>: <<your thought process>> <Answer>: <<your option>>',
    ],
  ])("asks %# in the authors' words", (benchmark, values, options, question) => {
    const { system, text } = promptOf(benchmark, 'official', values, options)
    expect(system).toBeUndefined()
    expect(text).toBe(question)
  })

  it('answers MATH-Vision greedily with 4,096 tokens', () => {
    expect(mathvision.protocols.official!.sampling).toEqual({ temperature: 0, maxNewTokens: 4096 })
  })
})

it('Geometry3K is asked as in training: the problem alone', () => {
  const values = { images: [image('a')], problem: '<image>Find $x$.', answer: '4' }
  expect(promptOf(geometry3k, 'paper', values)).toMatchObject({ text: 'Find $x$.', images: [{ source: 'a' }] })
  expect(geometry3k.protocols.paper!.sampling.temperature).toBe(0.5)
})

describe('MathVista queries that are built', () => {
  const hint = (values: Record<string, unknown>) => promptOf(mathvista, 'official', values).text.split('\n')[0]

  it.each([
    [{ answer_type: 'integer', precision: null }, 'an integer answer and provide the final value, e.g., 1, 2, 3,'],
    [
      { precision: 1 },
      'a floating-point number with one decimal place and provide the final value, e.g., 1.2, 1.3, 1.4,',
    ],
    [
      { answer_type: 'list', precision: null },
      'a Python list as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4],',
    ],
  ])('hint at the form %j', (form, wording) => {
    expect(hint({ ...mathvistaFloat, ...form })).toBe(
      `Hint: Please answer the question requiring ${wording} at the end.`,
    )
  })

  it('end without white space, as the published ones', () => {
    const text = promptOf(mathvista, 'official', { ...mathvistaChoice, choices: ['15 cm', '9 cm '] }).text
    expect(text.endsWith('(B) 9 cm')).toBe(true)
  })
})

describe('judge prompts', () => {
  it('are the published bytes', () => {
    const digests = {
      'mathverse.extract': 'e3e356859206410952583451c7ba13699f97a868fabe5e784836380bb7d19350',
      'mathverse.score': '1969942f7745bbf0b23240fb0f99cc24779a8f316f2c8d7b7e0b6dbf34f97c47',
      'vlmevalkit.mathvista.extract': 'f2af5c5bea1649b7e47fe5146ea69d0b62fe671c97e6da57db562212bfb4a4df',
      'vlmevalkit.mathvision.extract': '42eeeb965c7039888639cf8ec0d0ee1020579ff64091d578132e515a65e9667b',
      'vlmevalkit.mathverse.extract': '68fb7e8dfeedabb0dcad5205196d9420ab6836d3c0ae4563ce90452f3d443d28',
      'vlmevalkit.mathverse.score': '9aa5459184d496aae51118fc4594089327a82b3ecf1392f6dd8089869790f934',
      'vlmevalkit.wemath.match': 'dd99d1c1e668e614b8d710ac446548bf65dd09d5db3c259c7195a7e5b710d1e7',
    }
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    const own = Object.entries(promptTexts).map(([id, { template }]) => [id, sha256(template)])
    expect(Object.fromEntries(own)).toEqual(digests)
  })

  it('are published with the notices of their licences', () => {
    const compiled = readFileSync(new URL('../../dist/eval/prompt-texts.js', import.meta.url), 'utf8')
    expect(compiled).toContain('MIT License\n *\n * Copyright (c) 2024 Renrui Zhang')
    expect(compiled).toContain('The above copyright notice and this permission notice shall be included in all')
    expect(compiled).toContain('Copyright 2023 VLMEvalKit Authors. Licensed under the Apache License, Version 2.0')
  })

  it("ask about a row in the paper's words", () => {
    expect(judgePrompt('paper.judge', { question: 'Q', answer: 'G', response: 'R' })).toBe(
      'Your task is to judge whether the response expresses the same meaning as the answer of a question.\nThe question is: Q\nThe answer is: G\nThe response is: R\nPlease check and compare them and then judge. If the response is correct, your output should be Yes. Otherwise, your output should be No. Directly give me your output.',
    )
  })

  it('do not expand a placeholder inside a response, nor patterns of replacement', () => {
    const response = '<<<answer>>> $& $1 {question} <<<question>>>'
    expect(judgePrompt('paper.judge', { question: 'Q', answer: 'G', response })).toContain(`is: ${response}\nPlease`)
  })

  it('need every field', () => {
    expect(() => judgePrompt('mathverse.score', { question: 'Q', answer: 'G' })).toThrow('extraction')
  })

  it('show five worked examples before a MathVista response', () => {
    expect(mathvistaExamples().match(/Extracted answer:/g)).toHaveLength(5)
    expect(mathvistaExamples()).toMatch(/^Please read the following example\.[\s\S]*Extracted answer: B$/)
  })
})
