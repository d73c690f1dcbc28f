// What stands between people's rows and the engine's inputs: images decoded and cut into patches, conversations turned into ids.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { ImageInput, Message } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import { call, type NativeProcessor, type PreparedImage, unwrap } from '../native/index.js'
import { checkAgreement } from './agreement.js'
import { decodeImage, type RawImage } from './decode.js'
import { ImageCache } from './image-cache.js'
import { readNeeded, readObject, readPreprocessor } from './model-files.js'
import { Slots } from './slots.js'
import { started } from './started.js'

/**
 * Images that a processor has in hand at a time, each from its file to its patches: enough to keep every decoder busy, and a bound for
 * open files, decoded pixels and commands in the native queue however many conversations are encoded together.
 */
const imagesAtOnce = 8

/** A conversation as the engine takes it. */
export interface EncodedPrompt {
  /** Token ids, image placeholders expanded to one id a merged patch. */
  ids: Uint32Array
  /** Per id 1 where the loss applies (text of assistant turns and their end token), else 0. */
  targets: Uint8Array
  images: PreparedImage[]
}

/** How to encode a conversation. */
export interface EncodeOptions {
  /** Append the header of an assistant turn, for generation. Default false. */
  addGenerationPrompt?: boolean
  /** System turn for conversations without one: a text, `false` for no system turn at all, or by default the template's own. */
  systemMessage?: string | false | undefined
  /** Longest encoding in ids; a longer one is `E_TOO_LONG`, never cut. */
  maxLength?: number | undefined
  /** What errors call this conversation. */
  name?: string
  /** No image is begun after an abort; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** How images are prepared. */
export interface ProcessorOptions {
  /** Smallest and largest area of a resized image in pixels; by default those of `preprocessor_config.json`. */
  minPixels?: number | undefined
  maxPixels?: number | undefined
  /** Transparent pixels: put on `white` (default) or `drop` the alpha channel. */
  alpha?: 'white' | 'drop' | undefined
  /** Honour the EXIF orientation. Default true. */
  autoOrient?: boolean | undefined
  /** Bytes of decoded pixels kept for images given as paths. Default 128 MiB. */
  imageCacheBytes?: number | undefined
}

/** The files a processor is made of, as they lie in a model folder. */
export interface ProcessorFiles {
  /** `tokenizer.json`. */
  tokenizer: Uint8Array
  /** `preprocessor_config.json`, or what `processor_config.json` has under `image_processor`. */
  preprocessor: Record<string, unknown>
  /** What errors call the place of `preprocessor`. Default `preprocessor_config.json`. */
  preprocessorName?: string
  /** `config.json`; what it states of images and their token must be what the other files state. */
  config: Record<string, unknown>
}

/** Tokenizer, chat template and image preprocessing of one model. */
export class Processor {
  readonly #native: NativeProcessor
  readonly #options: ProcessorOptions
  readonly #cache: ImageCache
  readonly #slots = new Slots(imagesAtOnce)
  #closed = false

  /** What decides the ids and patches of a row: a run that goes on with others would be another run. @internal */
  readonly identity: Readonly<Record<string, unknown>>

  private constructor(processor: NativeProcessor, files: ProcessorFiles, options: ProcessorOptions) {
    this.#native = processor
    this.#options = options
    this.identity = identityOf(files, options)
    this.#cache = new ImageCache(options.imageCacheBytes ?? 128 * 1024 * 1024)
  }

  /**
   * Reads `tokenizer.json`, `preprocessor_config.json` (or `processor_config.json`, if it holds the image processor's settings) and
   * `config.json` of a model folder. Throws `E_MODEL` or `E_TOKENIZER` naming the file, `E_CONFIG` when two files contradict each other
   * or for an `alpha` that is none, `E_USAGE` for a limit that is no whole number, `E_WORKER` outside the main thread, `E_NATIVE_LOAD` where
   * the native side cannot be started.
   */
  static async fromPretrained(folder: string, options: ProcessorOptions = {}): Promise<Processor> {
    const [tokenizer, preprocessor, config] = await Promise.all([
      readNeeded(join(folder, 'tokenizer.json')),
      readPreprocessor(folder),
      readObject(join(folder, 'config.json')),
    ])
    return Processor.fromFiles({ tokenizer, ...preprocessor, config }, options)
  }

  /** The same, with the same codes, from contents instead of a folder. */
  static async fromFiles(files: ProcessorFiles, options: ProcessorOptions = {}): Promise<Processor> {
    const handle = started('NativeProcessor')
    try {
      await call(
        handle.load(files.tokenizer, JSON.stringify(files.preprocessor), {
          ...(options.minPixels === undefined ? {} : { minPixels: options.minPixels }),
          ...(options.maxPixels === undefined ? {} : { maxPixels: options.maxPixels }),
          alpha: options.alpha ?? 'white',
        }),
      )
      const processor = new Processor(handle, files, options)
      const token = (id: number) => processor.decode(Uint32Array.of(id), { skipSpecialTokens: false })
      checkAgreement(files, processor.vocabularySize, token)
      return processor
    } catch (error) {
      await call(handle.close())
      throw error
    }
  }

  /**
   * Encodes a conversation with its images. Text of messages never becomes a special token.
   * Throws `E_TOKEN_COUNT` when images and placeholders differ, `E_TOO_LONG` beyond `maxLength`, `E_TEMPLATE` for no message or a role that is none,
   * `E_CLOSED` after {@link close}, and the codes of {@link prepareImages}. Any number of conversations may be encoded at once.
   */
  async encode(messages: readonly Message[], options: EncodeOptions = {}): Promise<EncodedPrompt> {
    const name = options.name ?? 'conversation'
    const inputs: ImageInput[] = []
    const turns = messages.map((message) => ({
      role: message.role,
      parts: (typeof message.content === 'string'
        ? [{ type: 'text' as const, text: message.content }]
        : message.content
      ).map((part) => {
        if (part.type === 'text') return { text: part.text }
        if (part.image === undefined) {
          throw new ColdstartError('E_TOKEN_COUNT', `${name}: an image part of a ${message.role} turn has no image`)
        }
        inputs.push(part.image)
        return {}
      }),
    }))
    const images = await this.prepareImages(inputs, name, options.signal)
    try {
      const encoded = unwrap(
        this.#native.encode(
          turns,
          images.map((image) => image.gridThw),
          {
            addGenerationPrompt: options.addGenerationPrompt ?? false,
            ...(typeof options.systemMessage === 'string' ? { systemMessage: options.systemMessage } : {}),
            noSystem: options.systemMessage === false,
            ...(options.maxLength === undefined ? {} : { maxLength: options.maxLength }),
          },
        ),
      )
      return { ids: encoded.ids, targets: encoded.targets, images }
    } catch (error) {
      throw named(error, name)
    }
  }

  /**
   * Decodes, resizes and cuts images into patches, off the JavaScript thread, a few at a time. Throws `E_PATH` for a file that cannot be
   * read, `E_IMAGE_FORMAT`, `E_IMAGE_MODE`, `E_IMAGE_LIMIT` or `E_IMAGE_DECODE` for an image that is refused, naming it, and `E_CLOSED`
   * after {@link close}.
   */
  prepareImages(inputs: readonly ImageInput[], name = 'image', signal?: AbortSignal): Promise<PreparedImage[]> {
    return Promise.all(inputs.map((input, index) => this.#prepare(input, imageName(input, name, index), signal)))
  }

  /** Frames, rows and columns of patches that an image of this size becomes. Throws `E_IMAGE_LIMIT` for sizes that are refused. */
  gridOf(width: number, height: number): number[] {
    return unwrap(this.#native.gridOf(width, height))
  }

  /** Text of `ids`; special tokens are left out unless asked for. */
  decode(ids: Uint32Array, options: { skipSpecialTokens?: boolean } = {}): string {
    return unwrap(this.#native.decode(ids, options.skipSpecialTokens ?? true))
  }

  /** Largest id of the tokenizer plus one; the model's embedding may have more rows. */
  get vocabularySize(): number {
    return unwrap(this.#native.vocabularySize())
  }

  /** Frees the native side. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await call(this.#native.close())
  }

  async #prepare(input: ImageInput, name: string, signal: AbortSignal | undefined): Promise<PreparedImage> {
    // An abort is seen when the turn comes, within the time of one image: a listener for each that waits would be thousands on one signal.
    await this.#slots.take()
    try {
      signal?.throwIfAborted()
      if (this.#closed) throw new ColdstartError('E_CLOSED', `${name}: this processor was closed`)
      const raw = await this.#decode(input, name)
      const [prepared] = await this.#cut(raw, name)
      return prepared as PreparedImage
    } finally {
      this.#slots.giveBack()
    }
  }

  async #cut(image: RawImage, name: string): Promise<PreparedImage[]> {
    try {
      return await call(this.#native.prepareImages([image]))
    } catch (error) {
      throw named(error, name)
    }
  }

  async #decode(input: ImageInput, name: string): Promise<RawImage> {
    if (typeof input !== 'string') return decodeImage(input, name, this.#decodeOptions)
    const cached = this.#cache.get(input)
    if (cached) return cached
    const image = await decodeImage(input, name, this.#decodeOptions)
    this.#cache.set(input, image)
    return image
  }

  get #decodeOptions() {
    return { autoOrient: this.#options.autoOrient ?? true }
  }
}

function identityOf({ tokenizer, preprocessor }: ProcessorFiles, options: ProcessorOptions) {
  const { min_pixels, max_pixels, size, ...rest } = preprocessor
  const area = (size ?? {}) as { shortest_edge?: unknown; longest_edge?: unknown }
  const digest = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex').slice(0, 16)
  return {
    tokenizer: digest(tokenizer),
    preprocessor: digest(JSON.stringify(rest)),
    minPixels: options.minPixels ?? min_pixels ?? area.shortest_edge,
    maxPixels: options.maxPixels ?? max_pixels ?? area.longest_edge,
    alpha: options.alpha ?? 'white',
    autoOrient: options.autoOrient ?? true,
  }
}

function imageName(input: ImageInput, name: string, index: number): string {
  return typeof input === 'string' ? `${name}, image ${input}` : `${name}, image ${index + 1}`
}

function named(error: unknown, name: string): unknown {
  return error instanceof ColdstartError
    ? new ColdstartError(error.code, `${name}: ${error.message}`, { cause: error })
    : error
}
