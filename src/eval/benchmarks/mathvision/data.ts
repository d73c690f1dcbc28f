/** MATH-Vision's rows: competition problems, with five options or none. */

import type { BenchmarkRow, RawRecord, SplitSpec } from '../../types.js'
import { columnError, fieldsOf, idColumn, imageColumns, textColumn, textList } from '../columns.js'

const images = ['decoded_image', 'image']
const columns = ['id', 'question', 'options', 'answer', 'level', 'subject']

export const mathvisionSplits = {
  test: { rows: 3040, columns, images },
  testmini: { rows: 304, columns, images },
} as const satisfies Record<string, SplitSpec>

/** The columns that questions and scores are made from. */
export interface MathVisionFields {
  /** With `<image1>`, `<image2>`, … where pictures stood; the published picture holds all of them. */
  question: string
  /** Five, or none. */
  options: string[]
}

export function readMathVision(records: readonly RawRecord[]): BenchmarkRow[] {
  return records.map((record) => {
    const options = textList(record, 'options')
    if (options.length !== 0 && options.length !== 5) throw columnError(record, 'options', 'five options or none')
    // Answers are kept as published, damaged ones too.
    const gold = idColumn(record, 'answer')
    if (options.length === 5 && !/^[A-E]$/.test(gold)) throw columnError(record, 'answer', 'a letter from A to E')
    const level = idColumn(record, 'level')
    if (!/^[1-5]$/.test(level)) throw columnError(record, 'level', 'a level from 1 to 5')
    const fields: MathVisionFields = { question: textColumn(record, 'question'), options }
    return {
      id: idColumn(record, 'id'),
      source: record.source,
      images: imageColumns(record, images),
      gold,
      groups: { level, subject: textColumn(record, 'subject') },
      fields: { ...fieldsOf(record, images), ...fields },
    }
  })
}

/** The checked columns of a row that was read. */
export function mathvisionFields(row: BenchmarkRow): MathVisionFields {
  return row.fields as unknown as MathVisionFields
}
