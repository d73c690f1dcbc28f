/** MathVista's rows: hub parquet, or the repository's `testmini.json`, which keeps the query texts in another file. */

import type { BenchmarkRow, RawRecord, SplitSpec } from '../../types.js'
import {
  columnError,
  fieldsOf,
  idColumn,
  imageColumns,
  memberColumn,
  optionalText,
  textColumn,
  textList,
} from '../columns.js'
import type { MathVistaFields } from './fields.js'
import { buildQuery } from './query.js'

const images = ['decoded_image', 'image']
const columns = [
  'pid',
  'question',
  'choices',
  'unit',
  'precision',
  'answer',
  'question_type',
  'answer_type',
  'metadata',
]

export const mathvistaSplits = {
  testmini: { rows: 1000, columns, images },
  /** Its answers are not published. */
  test: { rows: 5141, columns, images },
} as const satisfies Record<string, SplitSpec>

/** Keys of the metadata that reports break down by. */
const groupNames = ['source', 'language', 'category', 'task', 'context', 'grade', 'skills'] as const

export function readMathVista(records: readonly RawRecord[]): BenchmarkRow[] {
  return records.map((record) => {
    const fields = mathvistaColumns(record)
    const gold = optionalText(record, 'answer')
    if (gold !== '' && fields.question_type === 'multi_choice' && !fields.choices.includes(gold)) {
      throw columnError(record, 'answer', 'one of the choices')
    }
    return {
      id: idColumn(record, 'pid'),
      source: record.source,
      images: imageColumns(record, images),
      gold,
      groups: { question_type: fields.question_type, answer_type: fields.answer_type, ...metadataGroups(record) },
      fields: { ...fieldsOf(record, images), ...fields },
    }
  })
}

function mathvistaColumns(record: RawRecord): MathVistaFields {
  const question_type = memberColumn(record, 'question_type', ['multi_choice', 'free_form'])
  const answer_type = memberColumn(record, 'answer_type', ['text', 'integer', 'float', 'list'])
  const choices = textList(record, 'choices')
  if (question_type === 'multi_choice' && choices.length === 0) throw columnError(record, 'choices', 'choices')
  if (question_type === 'free_form' && answer_type === 'text') {
    throw columnError(record, 'answer_type', 'integer, float or list for free_form')
  }
  const precision = record.values.precision ?? null
  if (precision === null ? answer_type === 'float' : !isDigits(precision)) {
    throw columnError(record, 'precision', 'a number of digits from 0 to 15')
  }
  const question = textColumn(record, 'question')
  const unit = optionalText(record, 'unit')
  const facts = { question, question_type, answer_type, choices, unit, precision: precision as number | null }
  return { ...facts, query: optionalText(record, 'query') || buildQuery(facts) }
}

function isDigits(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 15
}

function metadataGroups(record: RawRecord): Record<string, string | string[]> {
  const metadata = record.values.metadata
  if (typeof metadata !== 'object' || metadata === null) throw columnError(record, 'metadata', 'an object')
  const groups: Record<string, string | string[]> = {}
  for (const name of groupNames) {
    const value = (metadata as Record<string, unknown>)[name]
    const isText = typeof value === 'string' || (Array.isArray(value) && value.every((v) => typeof v === 'string'))
    if (!isText) throw columnError(record, 'metadata', `an object with text ${name}`)
    groups[name] = value as string | string[]
  }
  return groups
}
