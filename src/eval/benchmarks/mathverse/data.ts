/** MathVerse's rows: 788 problems, each in five versions that move the text into the picture, and once as text alone. */

import type { BenchmarkRow, RawRecord, SplitSpec } from '../../types.js'
import { columnError, fieldsOf, idColumn, imageColumns, memberColumn, optionalText, textColumn } from '../columns.js'
import { parsePythonLiteral } from '../python-literal.js'

const images = ['image']
const columns = [
  'sample_index',
  'problem_index',
  'problem_version',
  'question',
  'answer',
  'question_type',
  'metadata',
  'query_wo',
  'query_cot',
]

export const mathverseSplits = {
  testmini: { rows: 3940, columns, images },
  testmini_text_only: { rows: 788, columns, images: [] },
} as const satisfies Record<string, SplitSpec>

/** The version without a picture; it is reported apart from the others. */
export const textOnly = 'Text Only'

const versions = ['Text Dominant', 'Text Lite', 'Vision Intensive', 'Vision Dominant', 'Vision Only', textOnly] as const

/** The columns that questions and scores are made from. */
export interface MathVerseFields {
  /** Empty where the picture holds the question. */
  question: string
  /** The question that judges see, full in every version. */
  question_for_eval: string
  query_wo: string
  query_cot: string
  question_type: 'multi-choice' | 'free-form'
}

export function readMathVerse(records: readonly RawRecord[], split: string): BenchmarkRow[] {
  return records.map((record) => {
    const version = memberColumn(record, 'problem_version', versions)
    if ((version === textOnly) !== (split === 'testmini_text_only')) {
      throw columnError(record, 'problem_version', `a version of split ${split}`)
    }
    const { metadata, subject, subfield } = metadataOf(record)
    const question = optionalText(record, 'question')
    const fields: MathVerseFields = {
      question,
      question_for_eval: optionalText(record, 'question_for_eval') || question,
      query_wo: textColumn(record, 'query_wo'),
      query_cot: textColumn(record, 'query_cot'),
      question_type: memberColumn(record, 'question_type', ['multi-choice', 'free-form']),
    }
    return {
      id: idColumn(record, 'sample_index'),
      source: record.source,
      images: version === textOnly ? [] : imageColumns(record, images),
      gold: textColumn(record, 'answer'),
      groups: { version, subject, subfield },
      // One form of the metadata, so that parquet and JSON are the same data.
      fields: { ...fieldsOf(record, images), metadata, ...fields },
    }
  })
}

/** The checked columns of a row that was read. */
export function mathverseFields(row: BenchmarkRow): MathVerseFields {
  return row.fields as unknown as MathVerseFields
}

/** The metadata are an object, or a dictionary as Python prints it. */
function metadataOf(record: RawRecord): { metadata: unknown; subject: string; subfield: string } {
  const { metadata: published } = record.values
  const metadata = typeof published === 'string' ? parsePythonLiteral(published) : published
  const { subject, subfield } = (metadata ?? {}) as Record<string, unknown>
  if (typeof subject === 'string' && typeof subfield === 'string') return { metadata, subject, subfield }
  throw columnError(record, 'metadata', 'an object or a printed dictionary with subject and subfield')
}
