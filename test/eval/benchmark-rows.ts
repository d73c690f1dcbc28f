// Records as they are published, one of each kind, and a judge that says what a test tells it to.
import type { AskOptions, Benchmark, BenchmarkRow, Judge, RawRecord, RowImage, Scored } from '../../src/eval/types.js'

export function image(name: string): RowImage {
  return { source: name, read: async () => name }
}

export function record(values: Record<string, unknown>, source = 'rows[0]'): RawRecord {
  return { source, values }
}

export const mathvistaChoice = {
  pid: '7',
  question: 'Which is <image> longer, <image1>?',
  image: image('images/7.jpg'),
  choices: ['12 cm', '15 cm', '9 cm'],
  unit: null,
  precision: null,
  answer: '15 cm',
  question_type: 'multi_choice',
  answer_type: 'text',
  metadata: {
    category: 'general-vqa',
    context: 'natural image',
    grade: 'high school',
    img_height: 1,
    img_width: 1,
    language: 'english',
    skills: ['statistical reasoning', 'logical reasoning'],
    source: 'Web',
    split: 'testmini',
    task: 'figure question answering',
  },
}

export const mathvistaFloat = {
  ...mathvistaChoice,
  pid: '8',
  question: 'How heavy?',
  choices: null,
  unit: 'g',
  precision: 2,
  answer: '2.67',
  question_type: 'free_form',
  answer_type: 'float',
}

export const mathverseChoice = {
  sample_index: '3',
  problem_index: '1',
  problem_version: 'Text Lite',
  question: 'Find the angle. <image>\nChoices:\nA:40°\nB:60°',
  image: image('images/3.png'),
  answer: 'B',
  question_type: 'multi-choice',
  metadata: "{'split': 'testmini', 'source': 'GeoQA', 'subject': 'Plane Geometry', 'subfield': 'Angle'}",
  query_wo: 'Please directly answer the question and provide the correct option letter, e.g., A, B, C, D.\nQuestion: Q',
  query_cot: 'Please first conduct reasoning, and then answer.\nQuestion: Q',
}

export const mathverseVisionOnly = {
  ...mathverseChoice,
  sample_index: '5',
  problem_version: 'Vision Only',
  question: '',
  question_for_eval: 'Find the angle. Full text.\nChoices:\nA:40°\nB:60°',
}

export const mathvisionChoice = {
  id: '12',
  question: 'Which one?\n<image1> <image>',
  options: ['red', 'green', 'blue', 'black', 'white'],
  image: 'images/12.jpg',
  decoded_image: image('12.jpg'),
  answer: 'C',
  solution: null,
  level: 2,
  subject: 'logic',
}

export const mathvisionFree = {
  ...mathvisionChoice,
  id: '13',
  question: 'How many?',
  options: [],
  answer: '$\\frac{1}{3}$',
}

export const wemathStep = {
  ID: '2steps_9',
  split: 'testmini',
  'knowledge concept': 'Perimeter of Triangles',
  question: 'How long is it?',
  option: 'A. 5;B. 6; C. No correct answer',
  answer: 'B',
  image_path: image('2steps/image/9-1.png'),
  key: '2steps_1',
  'question number': 9,
  'knowledge concept description': 'Perimeter: the sum of the sides.',
}

/** The row of one record. */
export function rowOf(benchmark: Benchmark, values: Record<string, unknown>, split?: string): BenchmarkRow {
  const [row] = benchmark.read([record(values)], split ?? Object.keys(benchmark.splits)[0]!)
  return row!
}

/** A judge with its replies in order, and everything that it was asked. */
export class ScriptedJudge implements Judge {
  readonly name = 'scripted'
  readonly asked: { prompt: string; options: AskOptions }[] = []

  constructor(private readonly replies: readonly (string | null)[]) {}

  async ask(prompt: string, options: AskOptions): Promise<string | null> {
    this.asked.push({ prompt, options })
    return this.replies[this.asked.length - 1] ?? null
  }
}

/** A row with a verdict, for reports. */
export function scored(row: BenchmarkRow, correct: boolean | null, over: Partial<Scored> = {}) {
  return { row, response: 'text', scored: { extraction: 'x', correct, path: 'rule:x', calls: 0, ...over } }
}
