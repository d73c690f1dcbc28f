// A short GRPO run in a process of its own, to be killed. Uses the compiled package.
import { GRPOTrainer, VisionLanguageModel } from '../../dist/index.js'
import { config, preprocessor, tokenizer } from '../support/tiny-model.mjs'

const [outputDir] = process.argv.slice(2)
const model = await VisionLanguageModel.fromConfig(config, {
  tokenizer,
  preprocessor,
  generationConfig: { eos_token_id: 2 },
})
const trainer = new GRPOTrainer({
  model,
  rewardFuncs: ({ completions }) => completions.map((text) => text.length % 3),
  trainDataset: [{ problem: 'what' }, { problem: 'is it ?' }, { problem: 'what is it ?' }],
  args: {
    outputDir,
    promptsPerStep: 2,
    numGenerations: 8,
    maxCompletionLength: 6,
    stepsPerGeneration: 2,
    learningRate: 1e-2,
    maxSteps: 12,
    saveSteps: 1,
    beta: 0.05,
    systemMessage: false,
    resumeFromCheckpoint: 'auto',
  },
})
for await (const event of trainer.run()) process.stdout.write(`${event.type}\n`)
await model.close()
