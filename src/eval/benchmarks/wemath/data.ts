/** We-Math's rows: composite problems and the single steps they are made of, joined by ID. */

import type { BenchmarkRow, RawRecord, SplitSpec } from '../../types.js'
import { columnError, fieldsOf, idColumn, imageColumns, memberColumn, textColumn } from '../columns.js'

const images = ['image_path', 'image']
const columns = ['ID', 'knowledge concept', 'question', 'option', 'answer', 'key']

export const wemathSplits = { testmini: { rows: 1740, columns, images } } as const satisfies Record<string, SplitSpec>

const keys = ['2steps_1', '2steps_2', '2steps_multi', '3steps_1', '3steps_2', '3steps_3', '3steps_multi'] as const

/** Number of steps, and which step of them; `multi` is the composite problem itself. */
export type StepKey = (typeof keys)[number]

/** The columns that questions and scores are made from. */
export interface WeMathFields {
  /** Joins a composite problem and its steps. */
  ID: string
  key: StepKey
  'knowledge concept': string
  question: string
  /** All options in one text: `A. 5;B. 6; C. No correct answer`. */
  option: string
}

export function readWeMath(records: readonly RawRecord[]): BenchmarkRow[] {
  return records.map((record) => {
    const gold = textColumn(record, 'answer')
    if (gold !== '' && !/^[A-H]$/.test(gold)) throw columnError(record, 'answer', 'a letter from A to H')
    const fields: WeMathFields = {
      ID: idColumn(record, 'ID'),
      key: memberColumn(record, 'key', keys),
      'knowledge concept': textColumn(record, 'knowledge concept'),
      question: textColumn(record, 'question'),
      option: textColumn(record, 'option'),
    }
    return {
      id: `${fields.ID}/${fields.key}`,
      source: record.source,
      images: imageColumns(record, images),
      gold,
      groups: { key: fields.key },
      fields: { ...fieldsOf(record, images), ...fields },
    }
  })
}

/** The checked columns of a row that was read. */
export function wemathFields(row: BenchmarkRow): WeMathFields {
  return row.fields as unknown as WeMathFields
}

/** Whether the row is a composite problem rather than a step of one. */
export function isComposite(row: BenchmarkRow): boolean {
  return wemathFields(row).key.endsWith('multi')
}
