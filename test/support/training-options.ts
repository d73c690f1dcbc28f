// What the engine is told when a run begins.

const each = (factor: number) => ({ vision: factor, merger: factor, language: factor })

export const training = {
  freeze: [],
  bannedIds: [],
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  maxSkips: 3,
  microBatchTokens: 1024,
  recompute: false,
  decay: 'matrices',
  lrScale: each(1),
  weightDecayScale: each(1),
  sftInterleaved: false,
}
