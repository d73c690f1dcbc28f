/**
 * Rewards for `GRPOTrainer` and scores for evaluation: grading of answers, built-in rewards, and rewards from modules of one's
 * own.
 *
 * @packageDocumentation
 */
export { accuracyReward } from './accuracy.js'
export { boxedReward, exactBoxed, extractAnswer, extractBoxed, isBoxed } from './boxed.js'
export { mathReward, r1vReward } from './easyr1.js'
export { type FormatStyle, formatReward } from './format.js'
export { type GradeItem, type GradeOptions, grade, gradeBatch, type Profile, type Verdict } from './grade.js'
export { lengthReward, type SoftOverlongOptions, softOverlongReward } from './length.js'
export { type GoldFault, type GoldFinding, lintGolds } from './lint.js'
export { type ModuleReward, type ModuleRewardOptions, rewardFromModule } from './pool/module-reward.js'
export { type RepetitionOptions, repetitionReward } from './repetition.js'
export type { RewardBatch, RewardFunc } from './types.js'
export { type WeightedPart, weightedReward } from './weighted.js'
