/** `coldstart eval compare`. */

import { needFolder } from '../../files/folder.js'
import { describeComparison } from '../eval-table.js'
import type { Context } from '../program.js'

/** Flags of the command. */
export interface CompareFlags {
  incomplete: boolean
}

/** Compares two folders and prints the differences. */
export async function compareCommand(a: string, b: string, flags: CompareFlags, { output }: Context): Promise<void> {
  for (const folder of [a, b]) await needFolder(folder, 'give the output folder of coldstart eval --benchmark')
  const { compareEvaluations } = await import('../../eval/compare.js')
  const comparison = await compareEvaluations(a, b, flags)
  output.event({ type: 'result', ...comparison })
  output.result(describeComparison(comparison))
}
