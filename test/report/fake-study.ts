// A study that was never run, with plausible numbers, for tests of the page.
import { accuracyOver, describeIntervals, gainOver } from '../../src/study/intervals.js'
import { random } from '../../src/study/random.js'
import { ARMS, type Arm, type Curve, type StudyResult } from '../../src/study/types.js'

const RIGHT: Record<Arm, number> = { base: 0, rl: 0, sft: 0.55, 'sft+rl': 0.87 }
const STEPS: Record<Arm, number> = { base: 1800, rl: 100, sft: 400, 'sft+rl': 150 }

/** A grey pixel as a PNG. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=='

export function fakeStudy(seeds = 5): StudyResult {
  const noise = random(1, 'fake')
  const shake = () => noise.below(1000) / 1000 - 0.5
  const verdicts = (arm: Arm) =>
    Array.from({ length: seeds }, () => {
      const share = RIGHT[arm] + (RIGHT[arm] > 0 ? 0.12 * shake() : 0)
      return Array.from({ length: 400 }, () => noise.chance(share))
    })
  const all = Object.fromEntries(ARMS.map((arm) => [arm, verdicts(arm)])) as Record<Arm, boolean[][]>
  const count = (list: boolean[][]) => list.map((one) => one.filter(Boolean).length)
  return {
    format: 1,
    quick: false,
    seeds,
    arms: ARMS.map((arm) => ({
      arm,
      ...accuracyOver(count(all[arm]), 400),
      truncated: arm === 'rl' ? 12 : 0,
      otherLengths: [2, 4].map((digits) => ({ digits, accuracy: RIGHT[arm] * (digits === 2 ? 1.05 : 0.7), n: 500 })),
    })),
    gain: gainOver(all.sft, all['sft+rl']),
    reading: accuracyOver(
      Array.from({ length: seeds }, () => 356),
      400,
    ),
    intervals: describeIntervals(seeds),
    stages: [
      { name: 'data', seconds: 3.2, tokens: 0, perSeed: [] },
      ...ARMS.map((arm) => ({
        name: arm,
        seconds: STEPS[arm] * 0.08 * seeds,
        tokens: STEPS[arm] * 900 * seeds,
        perSeed: [],
      })),
    ],
    curves: Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
      ARMS.map((stage): Curve => {
        const isReward = stage === 'rl' || stage === 'sft+rl'
        const values = Array.from({ length: STEPS[stage] }, (_, step) => {
          const time = step / STEPS[stage]
          if (stage === 'rl') return 0
          if (isReward) return Math.min(1, Math.max(0, 0.3 + 0.55 * (1 - Math.exp(-4 * time)) + 0.15 * shake()))
          return (3.5 * Math.exp(-9 * time) + 0.09) * (1 + 0.5 * shake())
        })
        return { seed, stage, metric: isReward ? 'reward/overall' : 'loss', values }
      }),
    ),
    samples: Array.from({ length: 4 }, (_, index) => ({
      id: String(index),
      image: PIXEL,
      problem: 'what is the sum ?',
      answer: '17',
      responses: [
        { arm: 'base', text: '2 8 7', correct: false },
        { arm: 'rl', text: '', correct: false },
        { arm: 'sft', text: 'the digits are 2 , 3 , 7 . 2 + 3 = 5 ; 5 + 7 = 1 2 ; \\boxed{ 1 2 }', correct: false },
        {
          arm: 'sft+rl',
          text: 'the digits are 2 , 8 , 7 . 2 + 8 = 1 0 ; 1 0 + 7 = 1 7 ; \\boxed{ 1 7 }',
          correct: true,
        },
      ],
    })),
    seconds: 260 * seeds,
    evalSeconds: 9 * seeds,
    machine: {
      cpu: 'Intel(R) Xeon(R) Processor',
      logicalCores: 2,
      threads: 2,
      kernel: 'avx512-f32',
      memoryGiB: 24,
      platform: 'linux-x64',
    },
    versions: { coldstart: '0.1.0', node: '20.20.2', mnist: '1.1.0' },
    parameters: 1_393_664,
    recipe: { base: { learningRate: 2e-3, maxSteps: 1800 }, 'sft+rl': { learningRate: 1e-4, beta: 0 } },
    data: { sha256: 'ab'.repeat(32), images: 15_064, trainDigits: 9000, heldOutDigits: 1000, heldOutImages: 400 },
    command: `coldstart study --seeds ${seeds}`,
    startedAt: '2026-11-24T11:00:00.000Z',
  }
}
