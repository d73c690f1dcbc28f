// Two rewards of one's own: one asks a service and waits for it, one is arithmetic.    node examples/custom-reward.mjs
import { setTimeout } from 'node:timers/promises'
import { GRPOTrainer } from 'coldstart'
import { extractBoxed } from 'coldstart/rewards'
import { squareQuestions, tinyModel } from './tiny-model.mjs'

/** Stands for one call over the network that judges a whole batch. `signal` fires at the deadline and when the run is stopped. */
async function askService(pairs, signal) {
  await setTimeout(5, undefined, { signal })
  return pairs.map(({ answer, gold }) => (gold === undefined ? null : Number(answer === gold)))
}

/**
 * The name of a reward function is its name in the metrics: `reward/judged`. Null says that there is nothing to judge. A reward that is
 * late or fails costs its completions, not the run.
 */
function judged({ completions, answers, signal }) {
  const pairs = completions.map((text, i) => ({ answer: extractBoxed(text), gold: answers[i] }))
  return askService(pairs, signal)
}

/** Columns of the data set that coldstart has no use for arrive in `rows[i].extra`. */
function brief({ completions, rows }) {
  return completions.map((text, i) => (text.split(' ').length <= rows[i].extra.maxWords ? 1 : 0))
}

const model = await tinyModel()
try {
  const questions = await squareQuestions(32, { reasoning: false })
  const trainer = new GRPOTrainer({
    model,
    rewardFuncs: [judged, brief],
    trainDataset: questions.map((question) => ({ ...question, maxWords: 6 })),
    args: {
      rewardWeights: [1, 0.5],
      rewardTimeoutMs: 5000,
      maxSteps: 20,
      promptsPerStep: 4,
      numGenerations: 8,
      maxCompletionLength: 12,
      learningRate: 1e-3,
      beta: 0,
      systemMessage: false,
    },
  })
  for await (const event of trainer.run()) {
    if (event.type === 'warning') console.error(event.message)
    if (event.type !== 'step') continue
    const { 'reward/judged': right, 'reward/brief': short, 'reward/overall': total } = event.metrics
    console.log(
      `step ${event.step}: judged ${right.toFixed(2)}, brief ${short.toFixed(2)}, together ${total.toFixed(2)}`,
    )
  }
} finally {
  await model.close()
}
