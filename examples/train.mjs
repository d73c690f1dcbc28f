// Cold start, reinforcement learning, evaluation, in one script and a few seconds.    node examples/train.mjs [folder for the run]
import { join } from 'node:path'
import { evaluate, GRPOTrainer, SFTTrainer } from 'coldstart'
import { exactBoxed, isBoxed } from 'coldstart/rewards'
import { squareQuestions, tinyModel } from './tiny-model.mjs'

const folder = process.argv[2]
const outputDir = (stage) => (folder ? { outputDir: join(folder, stage) } : {})
const model = await tinyModel()

const accuracy = async () => {
  const dataset = await squareQuestions(16, { reasoning: false })
  const generate = { temperature: 0, maxNewTokens: 16, systemMessage: false }
  const result = await evaluate({ model, dataset, generate, score: (text, row) => isBoxed(text, row.answer) })
  return `${result.correct} of ${result.n} right`
}

try {
  console.log(`new model: ${await accuracy()}`)

  // Five of the sixteen pictures, so that there is something left to find out.
  const coldStart = new SFTTrainer({
    model,
    trainDataset: await squareQuestions(5, { reasoning: true }),
    args: {
      ...outputDir('sft'),
      maxSteps: 40,
      perDeviceTrainBatchSize: 16,
      learningRate: 3e-3,
      warmupSteps: 5,
      weightDecay: 0,
      systemMessage: false,
    },
  })
  for await (const event of coldStart.run()) {
    if (event.type === 'step' && event.step % 20 === 0)
      console.log(`sft ${event.step}: loss ${event.metrics.loss.toFixed(3)}`)
  }
  console.log(`after the cold start: ${await accuracy()}`)

  const reinforcement = new GRPOTrainer({
    model,
    rewardFuncs: exactBoxed,
    trainDataset: await squareQuestions(64, { reasoning: false }),
    args: {
      ...outputDir('grpo'),
      maxSteps: 50,
      promptsPerStep: 16,
      numGenerations: 8,
      maxCompletionLength: 16,
      learningRate: 1e-3,
      weightDecay: 0,
      beta: 0,
      systemMessage: false,
    },
  })
  for await (const event of reinforcement.run()) {
    if (event.type !== 'step' || event.step % 10 !== 0) continue
    console.log(`grpo ${event.step}: reward ${event.metrics['reward/overall'].toFixed(3)}`)
  }
  console.log(`after reinforcement learning: ${await accuracy()}`)
  if (folder) await model.savePretrained(join(folder, 'model'))
} finally {
  await model.close()
}
