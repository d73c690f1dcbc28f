/** We-Math's four-dimensional metrics: does a model that solves a problem master its steps? */

import { pythonPercent } from '../../python-numbers.js'

/** Verdicts of a composite problem and its steps; null: no response, which counts as wrong. */
export interface Composite {
  steps: readonly (boolean | null)[]
  multi: boolean | null
}

/** How many composite problems were solved with their steps mastered, and by rote; and the score made of them. */
export interface Mastery {
  /** Complete mastery. */
  CM: number
  /** Rote memorisation. */
  RM: number
  /** (N − IG/2 − RM − IK) / N for N composite problems; 0 for none. */
  score: number
}

/** Every composite problem is in one class: IK + IG + CM + RM of either setting is their number. */
export interface FourDimensional {
  /** N. The authors' script has the number 525 in its place, so that absent rows earn credit. */
  composites: number
  /** Verdicts that are null. */
  missing: number
  /** Insufficient knowledge: not solved, some step not known. */
  IK: number
  /** Inadequate generalisation: not solved although all steps are known. */
  IG: number
  /** Mastery takes all steps. */
  strict: Mastery
  /** Mastery takes one step. */
  loose: Mastery
}

export function fourDimensional(composites: readonly Composite[]): FourDimensional {
  const count = (test: (composite: Composite) => boolean): number => composites.filter(test).length
  const knowsAll = ({ steps }: Composite): boolean => steps.every((step) => step === true)
  const knowsSome = ({ steps }: Composite): boolean => steps.some((step) => step === true)
  const isSolved = ({ multi }: Composite): boolean => multi === true
  const total = composites.length
  const IK = count((composite) => !isSolved(composite) && !knowsAll(composite))
  const IG = count((composite) => !isSolved(composite) && knowsAll(composite))
  const mastery = (CM: number): Mastery => {
    const RM = total - IK - IG - CM
    return { CM, RM, score: total === 0 ? 0 : (total - 0.5 * IG - RM - IK) / total }
  }
  return {
    composites: total,
    missing: composites.flatMap(({ steps, multi }) => [...steps, multi]).filter((verdict) => verdict === null).length,
    IK,
    IG,
    strict: mastery(count((composite) => isSolved(composite) && knowsAll(composite))),
    loose: mastery(count((composite) => isSolved(composite) && knowsSome(composite))),
  }
}

/** The same with rates and scores as the authors print them. */
export function printedMetrics({ composites, IK, IG, strict, loose }: FourDimensional) {
  const percent = (part: number, whole: number): string => pythonPercent(whole === 0 ? 0 : part / whole, 2)
  const printed = ({ CM, RM, score }: Mastery) => ({
    CM,
    RM,
    CM_rate: percent(CM, composites),
    // Of the solved problems; there may be none.
    RM_rate: CM + RM === 0 ? null : percent(RM, CM + RM),
    score: pythonPercent(score, 2),
  })
  return {
    IK,
    IG,
    IK_rate: percent(IK, composites),
    IG_rate: percent(IG, composites),
    strict: printed(strict),
    loose: printed(loose),
  }
}
