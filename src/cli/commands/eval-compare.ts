/** `coldstart eval compare`. */

import { describeComparison } from '../eval-table.js'
import type { Context } from '../program.js'

/** Compares two folders and prints the differences. */
export async function compareCommand(a: string, b: string, { output }: Context): Promise<void> {
  const { compareEvaluations } = await import('../../eval/compare.js')
  const comparison = await compareEvaluations(a, b)
  output.event({ type: 'result', ...comparison })
  output.result(describeComparison(comparison))
}
