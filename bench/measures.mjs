// What is measured, by id. Each measure prints JSON lines; where a peer is given it does the same work in the same rounds.
import { GRADE } from './grading.mjs'
import { C1 } from './products.mjs'
import { STUDY } from './study.mjs'
import { C8, C9 } from './surroundings.mjs'
import { C5, C6, C7 } from './training.mjs'

export const benchmarks = { C1, C5, C6, C7, C8, C9, GRADE, STUDY }
