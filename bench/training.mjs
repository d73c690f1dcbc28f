// C5, C6, C7: training steps, reinforcement steps and decoding of small models, against transformers.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { models, numbers, picture, text, withImage } from './models.mjs'
import { bandwidth, decodeBytes, forwardFlops, peaks, trainingFlops } from './peak.mjs'
import { interleave, rounded } from './rounds.mjs'

const dtypes = ['float32', 'bfloat16']
const optimizer = {
  freeze: [],
  bannedIds: [],
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradNorm: 1,
  microBatchTokens: 4096,
  recompute: false,
  maxSkips: 3,
  decay: 'matrices',
  lrScale: { vision: 1, merger: 1, language: 1 },
  weightDecayScale: { vision: 1, merger: 1, language: 1 },
  sftInterleaved: false,
}

export const C5 = {
  title: 'SFT step of models S and M: batch 4 × 512 tokens with one 392×392 image each',
  async run({ peer, rounds, threads, quick, print }) {
    for (const size of quick ? ['S'] : ['S', 'M']) {
      for (const dtype of dtypes) {
        const config = models[size]
        const random = numbers(1)
        const grid = [1, 28, 28]
        const pictures = Array.from({ length: 4 }, () => picture(grid, random))
        const sequences = pictures.map(() => withImage(512, grid, config.vocab_size, random))
        const model = await open(config, dtype)
        await ok(model.startTraining(optimizer))
        const samples = sequences.map((ids, i) => ({
          ids: Uint32Array.from(ids),
          targets: Uint8Array.from(ids, (id, at) => Number(at > 0 && id !== config.image_token_id)),
          images: [pictures[i]],
        }))
        const parameters = await peer?.ask({ op: 'setup', config, dtype, threads })
        const targets = samples.reduce((sum, sample) => sum + sample.targets.reduce((a, b) => a + b, 0), 0)
        const flops = trainingFlops(config, 4 * 512, 4 * 784, targets)
        const pixels = writePixels(pictures)
        const result = await interleave(
          rounds,
          () => timed(() => model.sftStep(samples, 1e-5)),
          peer &&
            (async () =>
              (await peer.ask({ op: 'sft', ids: sequences, pixels, grids: pictures.map(() => grid) })).seconds),
        )
        const ofPeak = (seconds) => flops / seconds / 1e12 / peaks()[dtype]
        print(
          rounded({
            id: 'C5',
            model: size,
            dtype,
            ...result,
            tokensPerSecond: (4 * 512) / result.seconds,
            ofPeak: ofPeak(result.seconds),
            ...(peer ? { peerOfPeak: ofPeak(result.peerSeconds) } : {}),
            parameters: parameters?.parameters,
          }),
        )
        await model.close()
      }
    }
  },
}

export const C6 = {
  title: 'GRPO step of a 28 M model: 4 prompts × 8 completions of 128 tokens, text and with an image',
  async run({ peer, rounds, threads, print }) {
    for (const variant of ['text', 'image']) {
      for (const dtype of dtypes) {
        const config = models.T
        const random = numbers(2)
        const grid = [1, 12, 12]
        const length = 64
        const pictures = variant === 'image' ? Array.from({ length: 4 }, () => picture(grid, random)) : []
        const prompts = Array.from({ length: 4 }, () =>
          variant === 'image'
            ? withImage(length, grid, config.vocab_size, random)
            : text(length, config.vocab_size, random),
        )
        const model = await open(config, dtype)
        await ok(model.startTraining(optimizer))
        const images = (i) => (pictures[i] ? [pictures[i]] : [])
        await peer?.ask({ op: 'setup', config, dtype, threads })
        const pixels = variant === 'image' ? writePixels(pictures) : undefined
        let rollout = 0
        const step = async () => {
          const began = performance.now()
          const completions = await complete(
            model,
            prompts.map((ids, i) => request(ids, images(i), i, 8, 128)),
          )
          rollout = (performance.now() - began) / 1000
          const groups = prompts.map((ids, i) => ({
            ids: Uint32Array.from(ids),
            images: images(i),
            completions: completions[i].map((sampled, s) => ({
              ids: Uint32Array.from(sampled),
              advantage: (s - 3.5) / 4,
              truncated: true,
            })),
          }))
          await ok(model.grpoUpdate(groups, JSON.stringify({ beta: 0 }), 1, 1e-6, true))
        }
        const result = await interleave(
          rounds,
          () => timed(step),
          peer &&
            (async () =>
              (
                await peer.ask({
                  op: 'grpo',
                  ids: prompts,
                  pixels,
                  grids: pictures.map(() => grid),
                  samples: 8,
                  new: 128,
                })
              ).seconds),
        )
        // What the step needs: prompts once, then every new token once to draw it and once to learn from it. The peer computes each
        // prompt for every sample; that is its own choice and no work done.
        const patches = 144 * pictures.length
        const drawn = 4 * 8 * 128
        const flops =
          forwardFlops(config, 4 * length + drawn, patches, drawn) +
          trainingFlops(config, 4 * length + drawn, patches, drawn)
        const ofPeak = (seconds) => flops / seconds / 1e12 / peaks()[dtype]
        print(
          rounded({
            id: 'C6',
            variant,
            dtype,
            ...result,
            ofPeak: ofPeak(result.seconds),
            ...(peer ? { peerOfPeak: ofPeak(result.peerSeconds) } : {}),
            rolloutSeconds: rollout,
          }),
        )
        await model.close()
      }
    }
  },
}

export const C7 = {
  title: 'decoding of model M, 1 and 8 rows, after 64 prompt tokens',
  async run({ peer, rounds, threads, print }) {
    const config = models.M
    const tokens = 64
    for (const dtype of dtypes) {
      const model = await open(config, dtype)
      await peer?.ask({ op: 'setup', config, dtype, threads })
      for (const rows of [1, 8]) {
        const random = numbers(3)
        const prompts = Array.from({ length: rows }, () => text(64, config.vocab_size, random))
        const run = (n) =>
          timed(() =>
            complete(
              model,
              prompts.map((ids, i) => request(ids, [], i, 1, n)),
            ),
          )
        const result = await interleave(
          rounds,
          async () => (await run(tokens + 2)) - (await run(2)),
          peer && (async () => (await peer.ask({ op: 'decode', ids: prompts, new: tokens + 2 })).seconds),
        )
        const bytes = tokens * decodeBytes(config, dtype, rows, 64 + tokens / 2)
        const ofBandwidth = (seconds) => bytes / seconds / bandwidth()
        print(
          rounded({
            id: 'C7',
            rows,
            dtype,
            ...result,
            tokensPerSecond: (rows * tokens) / result.seconds,
            ofBandwidth: ofBandwidth(result.seconds),
            ...(peer ? { peerOfBandwidth: ofBandwidth(result.peerSeconds) } : {}),
          }),
        )
      }
      await model.close()
    }
  },
}

/** A model of random weights, by the native handle that `VisionLanguageModel` wraps. */
async function open(config, dtype) {
  const { native } = await import('../dist/native/index.js')
  const model = new (native().NativeModel)()
  await ok(model.create(JSON.stringify(config), 0, dtype))
  return model
}

function request(ids, images, key, numSamples, maxNewTokens) {
  return {
    ids: Uint32Array.from(ids),
    images,
    key,
    seed: 0,
    numSamples,
    maxNewTokens,
    temperature: 1,
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    stopIds: [],
    bannedIds: [],
  }
}

async function complete(model, requests) {
  const completions = requests.map(({ numSamples }) => Array.from({ length: numSamples }, () => []))
  const id = await ok(model.generateStart(requests))
  while (true) {
    const { events, finished } = await ok(model.generateStep(id, 100))
    for (const { request, sample, ids } of events) completions[request][sample].push(...ids)
    if (finished) break
  }
  await ok(model.generateCancel(id))
  return completions
}

async function ok(promise) {
  const value = await promise
  if (value?.failure) throw new Error(`${value.failure}: ${value.message}`)
  return value
}

async function timed(work) {
  const began = performance.now()
  await ok(Promise.resolve(work()))
  return (performance.now() - began) / 1000
}

function writePixels(pictures) {
  const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'pixels.f32')
  writeFileSync(file, Buffer.concat(pictures.map(({ pixelValues }) => Buffer.from(pixelValues.buffer))))
  return file
}
