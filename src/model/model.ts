// The model as people hold it: loaded or new, generating, saved, closed. Everything numerical happens in the engine behind it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfPresent } from '../data/optional-file.js'
import { ColdstartError } from '../errors.js'
import { call, type NativeModel, type NativeModelInfo, native } from '../native/index.js'
import { Processor, type ProcessorFiles, type ProcessorOptions } from '../processor/processor.js'
import { bannedIdsOf } from './banned-ids.js'
import { CompletionBuilder, type GenerationPrompt, generationEvents, toRequests } from './generation.js'
import { stopIdsOf } from './stop-ids.js'
import type { Completion, DType, GenerateOptions, ParameterCounts, PromptInput, StreamChunk } from './types.js'

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

/** Files of a model folder that are neither weights nor config and are saved unchanged. */
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
  readonly #files: ProcessorFiles & { generation: Record<string, unknown>; folder?: string }
  #exclusive: string | undefined
  #counts: ParameterCounts
  #closing: Promise<void> | undefined

  private constructor(
    model: NativeModel,
    info: NativeModelInfo,
    processor: Processor,
    files: ProcessorFiles & { generation: Record<string, unknown>; folder?: string },
    dtype: DType,
  ) {
    this.#native = model
    this.#files = files
    this.#counts = info.parameters
    this.processor = processor
    this.config = files.config
    this.dtype = dtype
  }

  /**
   * Loads a folder in the Hugging Face layout: `config.json`, `model.safetensors` or shards with their index, `tokenizer.json`,
   * `preprocessor_config.json`. Throws `E_MODEL`, `E_CONFIG`, `E_WEIGHTS` or `E_TOKENIZER` naming file, field or tensor.
   */
  static async fromPretrained(folder: string, options: FromPretrainedOptions = {}): Promise<VisionLanguageModel> {
    options.signal?.throwIfAborted()
    const dtype = options.dtype ?? 'float32'
    const config = await readJson(join(folder, 'config.json'))
    const files = {
      config,
      folder,
      tokenizer: await readBytes(join(folder, 'tokenizer.json')),
      preprocessor: await readJson(join(folder, 'preprocessor_config.json')),
      generation: await readJson(join(folder, 'generation_config.json'), {}),
    }
    const processor = await Processor.fromFiles(files, options)
    const model = new (native().NativeModel)()
    try {
      const info = await call(model.load(folder, dtype), options.signal)
      options.signal?.throwIfAborted()
      return new VisionLanguageModel(model, info, processor, files, dtype)
    } catch (error) {
      await Promise.all([model.close(), processor.close()])
      throw error
    }
  }

  /** A new model with random weights: `config` is the content of a `config.json`. The same seed gives the same bits. */
  static async fromConfig(config: Record<string, unknown>, options: FromConfigOptions): Promise<VisionLanguageModel> {
    const dtype = options.dtype ?? 'float32'
    const files = {
      config,
      tokenizer:
        typeof options.tokenizer === 'string'
          ? await readBytes(options.tokenizer)
          : Buffer.from(JSON.stringify(options.tokenizer)),
      preprocessor: options.preprocessor ?? {},
      generation: options.generationConfig ?? {},
    }
    const processor = await Processor.fromFiles(files, options)
    const model = new (native().NativeModel)()
    try {
      const info = await call(model.create(JSON.stringify(config), options.seed ?? 0, dtype))
      return new VisionLanguageModel(model, info, processor, files, dtype)
    } catch (error) {
      await Promise.all([model.close(), processor.close()])
      throw error
    }
  }

  /** Parameters by part, all and trainable (as the last trainer set them). */
  numParameters(): ParameterCounts {
    return structuredClone(this.#counts)
  }

  /** Completes one prompt or many; the result has one array of `numReturnSequences` completions a prompt. */
  async generate(
    prompts: PromptInput | readonly PromptInput[],
    options: GenerateOptions = {},
  ): Promise<Completion[][]> {
    const encoded = await this.#encodePrompts(isMany(prompts) ? prompts : [prompts], options)
    return this.#free('generate', () => this.complete(encoded, options))
  }

  /** Completes one prompt piece by piece. Leaving the loop ends the generation. */
  async *stream(prompt: PromptInput, options: GenerateOptions = {}): AsyncGenerator<StreamChunk, void, void> {
    const encoded = await this.#encodePrompts([prompt], options)
    this.#assertFree('stream')
    const builder = new CompletionBuilder((ids) => this.processor.decode(ids), options.stopStrings)
    const requests = toRequests(encoded, { ...options, numReturnSequences: 1 }, this.samplingDefaults())
    for await (const event of generationEvents(this.#native, requests, { signal: options.signal, sliceMs: 0 })) {
      const chunk = builder.push(event, true)
      if (chunk) yield chunk
      if (builder.done) return
    }
  }

  /**
   * Writes a folder that loads unchanged in transformers: weights under their hub names, config, tokenizer and preprocessor files.
   * @param options.dtype type of the stored weights; default `float32`
   */
  async savePretrained(folder: string, options: { dtype?: 'float32' | 'bfloat16' } = {}): Promise<void> {
    await mkdir(folder, { recursive: true })
    await call(this.#native.save(folder, options.dtype ?? 'float32'))
    const files = await this.companionFiles()
    await Promise.all(files.map(({ name, data }) => writeFile(join(folder, name), data)))
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
   * Completes encoded prompts, whose keys name their random numbers. For trainers and evaluation.
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
  samplingDefaults() {
    return {
      stopIds: stopIdsOf(this.#files.generation, this.config),
      bannedIds: bannedIdsOf(this.config, this.processor.vocabularySize),
    }
  }

  /** The files of a model folder that are not weights or `config.json`. @internal */
  async companionFiles(): Promise<{ name: string; data: Uint8Array }[]> {
    const { preprocessor, generation, tokenizer, folder } = this.#files
    const stopIds = stopIdsOf(generation, this.config)
    const json = (name: string, value: unknown) => ({ name, data: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) })
    // Without a class name transformers would rebuild the published model's tokenizer around this vocabulary.
    const copied =
      folder === undefined
        ? [json('tokenizer_config.json', { tokenizer_class: 'PreTrainedTokenizerFast' })]
        : await Promise.all(companions.map((name) => companionIn(folder, name)))
    return [
      { name: 'tokenizer.json', data: tokenizer },
      json('preprocessor_config.json', preprocessor),
      json('generation_config.json', { ...generation, eos_token_id: stopIds.length === 1 ? stopIds[0] : stopIds }),
      ...copied.filter((file): file is { name: string; data: Buffer } => file !== undefined),
    ]
  }

  /** Gives a trainer the model for itself; a second one is `E_BUSY`. Returns the native handle and the release. @internal */
  acquire(user: string): { native: NativeModel; setCounts: (counts: ParameterCounts) => void; release: () => void } {
    this.#assertFree(user)
    this.#exclusive = user
    return {
      native: this.#native,
      setCounts: (counts) => {
        this.#counts = counts
      },
      release: () => {
        this.#exclusive = undefined
      },
    }
  }

  async #encodePrompts(prompts: readonly PromptInput[], options: GenerateOptions): Promise<GenerationPrompt[]> {
    if (this.#closing) throw new ColdstartError('E_CLOSED', 'this model was closed')
    return Promise.all(
      prompts.map(async (prompt, index) => ({
        key: index,
        prompt: await this.processor.encode(messagesOf(prompt), {
          addGenerationPrompt: true,
          systemMessage: options.systemMessage,
          maxLength: options.maxPromptLength,
          name: `prompt ${index + 1}`,
        }),
      })),
    )
  }

  async #free<T>(user: string, work: () => Promise<T>): Promise<T> {
    this.#assertFree(user)
    return work()
  }

  #assertFree(user: string): void {
    if (this.#closing) throw new ColdstartError('E_CLOSED', 'this model was closed')
    if (this.#exclusive !== undefined) {
      throw new ColdstartError('E_BUSY', `${user}: this model is in use by ${this.#exclusive}`, {
        hint: 'wait for it to end, or load the model a second time',
      })
    }
  }
}

function isMany(prompts: PromptInput | readonly PromptInput[]): prompts is readonly PromptInput[] {
  return Array.isArray(prompts) && !(prompts.length > 0 && isMessage(prompts[0]))
}

function isMessage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'role' in value
}

function messagesOf(prompt: PromptInput) {
  if (typeof prompt === 'string') return [{ role: 'user' as const, content: prompt }]
  return 'messages' in prompt ? prompt.messages : prompt
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new ColdstartError('E_MODEL', `${path}: cannot be read; a model folder needs it`, { cause })
  }
}

async function readJson(path: string, fallback?: Record<string, unknown>): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (fallback && (cause as NodeJS.ErrnoException).code === 'ENOENT') return fallback
    throw new ColdstartError('E_MODEL', `${path}: cannot be read; a model folder needs it`, { cause })
  }
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new ColdstartError('E_MODEL', `${path}: not valid JSON`, { cause })
  }
}

async function companionIn(folder: string, name: string): Promise<{ name: string; data: Buffer } | undefined> {
  const data = await readIfPresent(join(folder, name))
  return data && { name, data }
}
