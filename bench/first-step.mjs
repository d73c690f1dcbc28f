// A process that imports the package, makes a small model and takes one training step. Prints seconds and peak memory.
import { readFileSync } from 'node:fs'

const began = performance.now()
const { SFTTrainer, VisionLanguageModel } = await import('../dist/index.js')
const { config, preprocessor, tokenizer } = await import('../test/support/tiny-model.mjs')
const imported = performance.now()
const model = await VisionLanguageModel.fromConfig(config, {
  tokenizer,
  preprocessor,
  generationConfig: { eos_token_id: 2 },
})
const rows = [{ problem: 'what is it ?', answer: 'red' }]
await new SFTTrainer({
  model,
  trainDataset: rows,
  args: { maxSteps: 1, perDeviceTrainBatchSize: 1, systemMessage: false },
}).train()
const stepped = performance.now()
await model.close()
// The rusage of a process begins with that of the process it was forked from; the high-water mark of its own memory does not.
const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
console.log(
  JSON.stringify({
    importSeconds: (imported - began) / 1000,
    firstStepSeconds: (stepped - began) / 1000,
    peakRssMB: (peakKiB * 1024) / 1e6,
  }),
)
