export { type EvalResult, type EvaluatedRow, type EvaluateOptions, evaluate } from './evaluate.js'
export { wilson } from './interval.js'
