/** Columns of a published record, checked one by one; an error names the record and the column. */

import { kindOf } from '../../data/images.js'
import { ColdstartError } from '../../errors.js'
import type { RawRecord, RowImage } from '../types.js'

/** The error of a column that is not as published. */
export function columnError(record: RawRecord, name: string, expected: string): ColdstartError {
  const got = kindOf(record.values[name])
  return new ColdstartError('E_DATA_ROW', `${record.source}: column ${name}: expected ${expected}, got ${got}`)
}

/** A column that holds text. */
export function textColumn(record: RawRecord, name: string): string {
  const value = record.values[name]
  if (typeof value === 'string') return value
  throw columnError(record, name, 'text')
}

/** Text that a row may lack: absent and null are the empty text. */
export function optionalText(record: RawRecord, name: string): string {
  return record.values[name] === undefined || record.values[name] === null ? '' : textColumn(record, name)
}

/** Text, or an integer as text: ids and levels are written both ways. */
export function idColumn(record: RawRecord, name: string): string {
  const value = record.values[name]
  if (Number.isSafeInteger(value)) return String(value)
  if (typeof value === 'string' && value !== '') return value
  throw columnError(record, name, 'text that is not empty, or an integer')
}

/** One of a few texts. */
export function memberColumn<T extends string>(record: RawRecord, name: string, members: readonly T[]): T {
  const value = record.values[name]
  if (members.includes(value as T)) return value as T
  throw columnError(record, name, members.join(' or '))
}

/** A list of texts; absent and null are the empty list. */
export function textList(record: RawRecord, name: string): string[] {
  const value = record.values[name] ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[]
  throw columnError(record, name, 'a list of texts')
}

/**
 * The images of the first of these columns that has any. Where none has, one that cannot be read, because every published row has a
 * picture: a model is not asked without it, and recorded responses are scored all the same.
 */
export function imageColumns(record: RawRecord, names: readonly string[]): RowImage[] {
  for (const name of names) {
    const value = record.values[name] as RowImage | RowImage[] | null | undefined
    if (Array.isArray(value) && value.length > 0) return value
    if (value !== null && value !== undefined && !Array.isArray(value)) return [value]
  }
  const name = names.find((column) => Object.hasOwn(record.values, column)) ?? names.join(' or ')
  const absent = async (): Promise<never> => {
    throw columnError(record, name, 'an image')
  }
  return [{ source: `${record.source} ${name}`, read: absent, isAbsent: true }]
}

/** The columns that hold no images. */
export function fieldsOf(record: RawRecord, images: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record.values).filter(([name]) => !images.includes(name)))
}
