/**
 * Rewards for `GRPOTrainer` and scores for evaluation.
 *
 * @packageDocumentation
 */
export { exactBoxed, extractBoxed, isBoxed } from './boxed.js'
export type { RewardBatch, RewardFunc } from './types.js'
