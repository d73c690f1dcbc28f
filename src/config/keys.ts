/** Which keys a schema allows at a path: for "did you mean", and for flags that name a path. */

import { z } from 'zod'

/** Keys of the object at `path`, or undefined where the schema has no fixed keys. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] | undefined {
  let current: z.ZodType | undefined = schema
  for (const key of path) {
    const plain = unwrapped(current)
    if (plain instanceof z.ZodObject) current = (plain.shape as Record<string, z.ZodType>)[String(key)]
    else if (plain instanceof z.ZodArray) current = plain.element as z.ZodType
    else return undefined
    if (current === undefined) return undefined
  }
  const plain = unwrapped(current)
  return plain instanceof z.ZodObject ? Object.keys(plain.shape) : undefined
}

/** The schema behind optional, nullable and default wrappers. */
function unwrapped(schema: z.ZodType): z.ZodType {
  let current = schema
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap() as z.ZodType
  }
  return current
}
