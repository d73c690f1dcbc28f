/** The columns of MathVista that questions and scores are made from. */

import type { BenchmarkRow } from '../../types.js'

/** A row's columns, checked. */
export interface MathVistaFields {
  question: string
  question_type: 'multi_choice' | 'free_form'
  answer_type: 'text' | 'integer' | 'float' | 'list'
  /** Empty for free form. */
  choices: string[]
  /** Empty without one. */
  unit: string
  /** Digits after the point, for floats. */
  precision: number | null
  query: string
}

/** The checked columns of a row that was read. */
export function mathvistaFields(row: BenchmarkRow): MathVistaFields {
  return row.fields as unknown as MathVistaFields
}
