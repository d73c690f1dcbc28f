// The model as people hold it: loaded or new, generating, saved, closed. Everything numerical happens in the engine behind it.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checked } from '../config/check.js'
import type { Message } from '../data/types.js'
import { ColdstartError, type ErrorCode } from '../errors.js'
import { call, type NativeModel, type NativeModelInfo } from '../native/index.js'
import {
  jsonFile,
  type ModelFile,
  processorFiles,
  readNeeded,
  readObject,
  readOptional,
  readPreprocessor,
} from '../processor/model-files.js'
import { Processor, type ProcessorFiles, type ProcessorOptions } from '../processor/processor.js'
import { started } from '../processor/started.js'
import {
  conversationOf,
  conversationsOf,
  fromConfigSchema,
  fromPretrainedSchema,
  generateOptionsSchema,
  saveOptionsSchema,
  streamOptionsSchema,
} from './arguments.js'
import { bannedIdsOf, vocabularyOf } from './banned-ids.js'
import {
  CompletionBuilder,
  type GenerationPrompt,
  generationEvents,
  type SamplingDefaults,
  toRequests,
} from './generation.js'
import { stopIdsOf } from './stop-ids.js'
import type { Completion, DType, GenerateOptions, ParameterCounts, PromptInput, StreamChunk } from './types.js'
import { visionTokensOf } from './vision-tokens.js'

/** How to load a model. */
export interface FromPretrainedOptions extends ProcessorOptions {
  /** Default `float32`. */
  dtype?: DType
  signal?: AbortSignal
}

/** What a new model is made of. */
export interface FromConfigOptions extends ProcessorOptions {
  /** Seed of the initial weights. Default 0. */
  seed?: number
  /** `tokenizer.json`: a path or its parsed content. */
  tokenizer: string | Record<string, unknown>
  /** Content of `preprocessor_config.json`. */
  preprocessor?: Record<string, unknown>
  /** Content of `generation_config.json`. */
  generationConfig?: Record<string, unknown>
  dtype?: DType
}

/** What a model is made of beside its weights. */
type ModelFiles = ProcessorFiles & { generation: Record<string, unknown>; folder?: string }

/** Files of a model folder that are saved unchanged: those of its tokenizer. */
const companions = [
  'tokenizer_config.json',
  'chat_template.json',
  'chat_template.jinja',
  'vocab.json',
  'merges.txt',
  'added_tokens.json',
  'special_tokens_map.json',
]

/**
 * A Qwen2.5-VL model with its processor.
 *
 * ```ts
 * await using model = await VisionLanguageModel.fromPretrained('./Qwen2.5-VL-3B-Instruct', { dtype: 'bfloat16' })
 * const [[answer]] = await model.generate([{ role: 'user', content: [{ type: 'image', image: 'circle.png' }, { type: 'text', text: 'Find x.' }] }])
 * ```
 */
export class VisionLanguageModel {
  /** Tokenizer, chat template and image preprocessing. */
  readonly processor: Processor
  /** Content of `config.json`, as read. */
  readonly config: Record<string, unknown>
  /** Where the model computes. */
  readonly device = 'cpu'
  readonly dtype: DType
  readonly #native: NativeModel
  readonly #files: ModelFiles
  readonly #sampling: SamplingDefaults
  #trainer: string | undefined
  /** Calls that read the weights now, each under the name of its method. */
  readonly #readers = new Set<{ name: string }>()
  #counts: ParameterCounts
  #closing: Promise<void> | undefined

  private constructor(
    model: NativeModel,
    info: NativeModelInfo,
    processor: Processor,
    files: ModelFiles,
    dtype: DType,
  ) {
    this.#native = model
    this.#files = files
    this.#counts = info.parameters
    this.processor = processor
    this.config = files.config
    this.dtype = dtype
    this.#sampling = {
      stopIds: stopIdsOf(files.generation, files.config),
      bannedIds: [
        ...new Set([...bannedIdsOf(files.config, processor.vocabularySize), ...visionTokensOf(files.tokenizer)]),
      ].sort((a, b) => a - b),
      vocabulary: vocabularyOf(files.config, processor.vocabularySize),
    }
  }

  /**
   * Loads a folder in the Hugging Face layout: `config.json`, `model.safetensors` or shards with their index, `tokenizer.json`,
   * `preprocessor_config.json` (or the `processor_config.json` of transformers 5). Throws `E_MODEL`, `E_MODEL_UNSAFE`,
   * `E_CONFIG`, `E_WEIGHTS` or `E_TOKENIZER` naming file, field or tensor, `E_USAGE` for an option that is no whole number, `E_WORKER`
   * outside the main thread, `E_NATIVE_LOAD` where the native side cannot be started.
   */
  static async fromPretrained(folder: string, options: FromPretrainedOptions = {}): Promise<VisionLanguageModel> {
    checked(fromPretrainedSchema, options, 'options', 'E_CONFIG')
    options.signal?.throwIfAborted()
    const dtype = options.dtype ?? 'float32'
    const config = await readObject(join(folder, 'config.json'))
    const files = {
      config,
      folder,
      tokenizer: await readNeeded(join(folder, 'tokenizer.json')),
      ...(await readPreprocessor(folder)),
      generation: await readObject(join(folder, 'generation_config.json'), {}),
    }
    return VisionLanguageModel.#with(files, options, dtype, async (model) => {
      const info = await call(model.load(folder, dtype), options.signal)
      options.signal?.throwIfAborted()
      return info
    })
  }

  /**
   * A new model with random weights: `config` is the content of a `config.json`. The same seed gives the same bits. Throws `E_MODEL`,
   * `E_CONFIG` or `E_TOKENIZER` naming file and field, `E_USAGE` for an option that is no whole number, `E_WORKER` outside the main thread,
   * `E_NATIVE_LOAD` where the native side cannot be started.
   */
  static async fromConfig(config: Record<string, unknown>, options: FromConfigOptions): Promise<VisionLanguageModel> {
    checked(fromConfigSchema, options, 'options', 'E_CONFIG')
    const dtype = options.dtype ?? 'float32'
    const files = {
      config,
      tokenizer:
        typeof options.tokenizer === 'string'
          ? await readNeeded(options.tokenizer)
          : Buffer.from(JSON.stringify(options.tokenizer)),
      preprocessor: options.preprocessor ?? {},
      generation: options.generationConfig ?? {},
    }
    return VisionLanguageModel.#with(files, options, dtype, (model) =>
      call(model.create(JSON.stringify(config), options.seed ?? 0, dtype)),
    )
  }

  /** A model whose weights `fill` brings. Whatever fails, nothing native is left behind. */
  static async #with(
    files: ModelFiles,
    options: ProcessorOptions,
    dtype: DType,
    fill: (model: NativeModel) => Promise<NativeModelInfo>,
  ): Promise<VisionLanguageModel> {
    const processor = await Processor.fromFiles(files, options)
    let model: NativeModel | undefined
    try {
      model = started('NativeModel')
      return new VisionLanguageModel(model, await fill(model), processor, files, dtype)
    } catch (error) {
      await Promise.all([model?.close(), processor.close()])
      throw error
    }
  }

  /** Parameters by part, all and trainable (as the last trainer set them). */
  numParameters(): ParameterCounts {
    return structuredClone(this.#counts)
  }

  /**
   * Completes one prompt or many; the result has one array of `numReturnSequences` completions a prompt. Throws `E_CONFIG` naming the
   * option at fault, `E_USAGE` naming the prompt, `E_BUSY` while a trainer has the model, `E_CLOSED` after {@link close},
   * and the codes of {@link Processor.encode}. Any number of prompts may come together.
   */
  async generate(
    prompts: PromptInput | readonly PromptInput[],
    options: GenerateOptions = {},
  ): Promise<Completion[][]> {
    // What was checked is what counts, whatever becomes of the caller's object meanwhile.
    const own = checked(generateOptionsSchema, options, 'options', 'E_CONFIG')
    const conversations = conversationsOf(prompts)
    return this.reading('generate', async () => this.complete(await this.#encode(conversations, own), own))
  }

  /**
   * Completes one prompt piece by piece. Leaving the loop ends the generation; until then no trainer gets the model. Throws the codes of
   * {@link generate}.
   */
  async *stream(prompt: PromptInput, options: GenerateOptions = {}): AsyncGenerator<StreamChunk, void, void> {
    const own = checked(streamOptionsSchema, options, 'options', 'E_CONFIG')
    const conversation = conversationOf(prompt, 'prompt')
    const leave = this.#enter('stream')
    try {
      const encoded = await this.#encode([conversation], own)
      const builder = new CompletionBuilder((ids) => this.processor.decode(ids), own.stopStrings)
      const requests = toRequests(encoded, own, this.samplingDefaults())
      for await (const event of generationEvents(this.#native, requests, { signal: own.signal, sliceMs: 0 })) {
        const chunk = builder.push(event, true)
        if (chunk) yield chunk
        if (builder.done) return
      }
    } finally {
      leave()
    }
  }

  /**
   * Writes a folder that loads unchanged in transformers, old and new: weights under their hub names (in place of those the folder had),
   * config, tokenizer and preprocessor files. Throws `E_WEIGHTS` naming a tensor with a value that the stored type cannot hold, `E_PATH`
   * for a folder that cannot be made, `E_CKPT_SAVE` naming a file that cannot be written, `E_MODEL` for a file of the folder it was loaded from that can no longer be read,
   * `E_CONFIG` for a `dtype` that is none, `E_CLOSED` after {@link close}, before anything is written.
   * @param options.dtype type of the stored weights; default `float32`
   */
  async savePretrained(folder: string, options: { dtype?: 'float32' | 'bfloat16' } = {}): Promise<void> {
    checked(saveOptionsSchema, options, 'options', 'E_CONFIG')
    if (this.#closing) throw closed()
    await writing('E_PATH', folder, mkdir(folder, { recursive: true }))
    await call(this.#native.save(folder, options.dtype ?? 'float32'))
    const files = await this.companionFiles()
    await Promise.all(
      files.map(({ name, data }) => writing('E_CKPT_SAVE', join(folder, name), writeFile(join(folder, name), data))),
    )
  }

  /** Ends the native side behind the work in flight. Idempotent; later calls reject with `E_CLOSED`. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([call(this.#native.close()), this.processor.close()]).then(() => undefined)
    return this.#closing
  }

  /** The same as {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Runs `work`, which reads the weights: as long as it takes, no trainer gets the model. `E_BUSY` while one has it.
   * @internal
   */
  async reading<T>(name: string, work: () => Promise<T>): Promise<T> {
    const leave = this.#enter(name)
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /**
   * Completes encoded prompts, whose keys name their random numbers. For those who hold the model: trainers, and work under {@link reading}.
   * @param onFinished gets each completion when it ends, before its neighbours do.
   * @internal
   */
  async complete(
    prompts: readonly GenerationPrompt[],
    options: GenerateOptions,
    onFinished?: (prompt: number, completion: Completion) => void,
  ): Promise<Completion[][]> {
    const samples = options.numReturnSequences ?? 1
    const builders = prompts.map(() =>
      Array.from(
        { length: samples },
        () => new CompletionBuilder((ids) => this.processor.decode(ids), options.stopStrings),
      ),
    )
    let open = prompts.length * samples
    const requests = toRequests(prompts, options, this.samplingDefaults())
    for await (const event of generationEvents(this.#native, requests, { signal: options.signal })) {
      const builder = builders[event.request]?.[event.sample]
      if (!builder || builder.done) continue
      builder.push(event, false)
      if (!builder.done) continue
      onFinished?.(event.request, builder.finish())
      if (--open === 0) break
    }
    return builders.map((group) => group.map((builder) => builder.finish()))
  }

  /** @internal */
  samplingDefaults(): SamplingDefaults {
    return this.#sampling
  }

  /** What decides the numbers of a run beside its arguments, its data and the weights. @internal */
  get identity(): Readonly<Record<string, unknown>> {
    return { dtype: this.dtype, ...this.processor.identity }
  }

  /** The files of a model folder that are not weights or `config.json`. @internal */
  async companionFiles(): Promise<ModelFile[]> {
    const { preprocessor, generation, tokenizer, folder } = this.#files
    const { stopIds } = this.#sampling
    // Without a class name transformers would rebuild the published model's tokenizer around this vocabulary.
    const copied =
      folder === undefined
        ? [jsonFile('tokenizer_config.json', { tokenizer_class: 'PreTrainedTokenizerFast' })]
        : await Promise.all(companions.map((name) => companionIn(folder, name)))
    return [
      { name: 'tokenizer.json', data: tokenizer },
      jsonFile('generation_config.json', { ...generation, eos_token_id: stopIds.length === 1 ? stopIds[0] : stopIds }),
      ...(await processorFiles(preprocessor, folder)),
      ...copied.filter((file) => file !== undefined),
    ]
  }

  /**
   * Gives a trainer the model for itself; `E_BUSY` while another has it or a call reads it. Returns the native handle and the release.
   * @internal
   */
  acquire(user: string): { native: NativeModel; setCounts: (counts: ParameterCounts) => void; release: () => void } {
    this.#refuseTrainerBeside(user)
    const readers = [...new Set([...this.#readers].map(({ name }) => name))]
    if (readers.length > 0) throw inUse(user, readers.join(' and '))
    this.#trainer = user
    return {
      native: this.#native,
      setCounts: (counts) => {
        this.#counts = counts
      },
      release: () => {
        this.#trainer = undefined
      },
    }
  }

  async #encode(conversations: readonly (readonly Message[])[], options: GenerateOptions): Promise<GenerationPrompt[]> {
    return Promise.all(
      conversations.map(async (messages, index) => ({
        key: index,
        prompt: await this.processor.encode(messages, {
          addGenerationPrompt: true,
          systemMessage: options.systemMessage,
          maxLength: options.maxPromptLength,
          name: `prompt ${index + 1}`,
          signal: options.signal,
        }),
      })),
    )
  }

  /** Counts a call that reads the weights until the function it returns is called. */
  #enter(name: string): () => void {
    this.#refuseTrainerBeside(name)
    const reader = { name }
    this.#readers.add(reader)
    return () => {
      this.#readers.delete(reader)
    }
  }

  #refuseTrainerBeside(user: string): void {
    if (this.#closing) throw closed()
    if (this.#trainer !== undefined) throw inUse(user, this.#trainer)
  }
}

function closed(): ColdstartError {
  return new ColdstartError('E_CLOSED', 'this model was closed')
}

/** Awaits what makes the file or folder at `path`. */
async function writing(code: ErrorCode, path: string, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code
    throw new ColdstartError(code, `${path}: cannot be written (${reason})`, { cause })
  }
}

function inUse(user: string, by: string): ColdstartError {
  return new ColdstartError('E_BUSY', `${user}: this model is in use by ${by}`, {
    hint: 'wait for it to end, or load the model a second time',
  })
}

async function companionIn(folder: string, name: string): Promise<ModelFile | undefined> {
  const data = await readOptional(join(folder, name))
  return data && { name, data }
}
