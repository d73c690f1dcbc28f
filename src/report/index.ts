// Reports: one HTML file a run, study or evaluation, that opens from disk anywhere.
import { join } from 'node:path'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'
import { asPathError, needFolder } from '../files/folder.js'
import { writeWhole } from '../files/write.js'
import type { StudyResult } from '../study/types.js'
import { renderEvalReport } from './eval-report.js'
import { isEvaluation, readEval } from './read-eval.js'
import { readRun } from './read-run.js'
import { renderRunReport } from './run-report.js'
import { renderStudyReport } from './study-report.js'

/**
 * Writes `report.html` into the folder of a run (from metrics.jsonl, samples/ and its settings), of a study (from study.json) or of
 * a benchmark's evaluation (from its scores). Returns the path of the page. Throws `E_PATH` when the folder is none of them or has
 * not been scored yet, or the page cannot be written, `E_DATA_FORMAT` or `E_CKPT_CORRUPT` when a file in it cannot be understood.
 */
export async function writeReport(folder: string): Promise<string> {
  await needFolder(folder, 'give the folder of a run, a study or a benchmark')
  const page = await asPathError(folder, () => pageOf(folder))
  const file = join(folder, 'report.html')
  await asPathError(file, () => writeWhole(file, page))
  return file
}

async function pageOf(folder: string): Promise<string> {
  const study = await readStudy(join(folder, 'study.json'))
  if (study) return renderStudyReport(study)
  if (await isEvaluation(folder)) return renderEvalReport(await readEval(folder))
  return renderRunReport(await readRun(folder))
}

async function readStudy(file: string): Promise<StudyResult | undefined> {
  const bytes = await readIfPresent(file)
  if (bytes === undefined) return undefined
  try {
    const study = JSON.parse(bytes.toString('utf8')) as StudyResult
    if (study.format === 1) return study
  } catch (cause) {
    throw new ColdstartError('E_DATA_FORMAT', `${file}: not JSON`, { cause })
  }
  throw new ColdstartError('E_DATA_FORMAT', `${file}: expected "format": 1, written by this version`, {
    hint: 'run the study again',
  })
}
