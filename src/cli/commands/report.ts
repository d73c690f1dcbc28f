/** `coldstart report`. */

import type { Context } from '../program.js'

/** Writes the report of a run, a study or a benchmark and prints its path. */
export async function reportCommand(folder: string, { output }: Context): Promise<void> {
  const { writeReport } = await import('../../report/index.js')
  const path = await writeReport(folder)
  output.event({ type: 'result', path })
  output.result(`${path}\n`)
}
