// Drives a generation in the engine, slice by slice, so that other commands, aborts and the event loop get their turn.
import { ColdstartError } from '../errors.js'
import { call, type NativeEvent, type NativeModel, type NativeRequest } from '../native/index.js'
import type { EncodedPrompt } from '../processor/processor.js'
import type { Completion, GenerateOptions, StreamChunk } from './types.js'

/** Longest time the engine works before it answers, in milliseconds: bounds how long an abort waits. */
const SLICE_MS = 100

/** Engine defaults of the sampling options, in one place for completions, streams and rollouts. */
export interface SamplingDefaults {
  stopIds: number[]
  bannedIds: number[]
  /** Ids are below it. */
  vocabulary: number
}

/** A prompt to complete; `key` names its random numbers: equal seed and key, equal completions. */
export interface GenerationPrompt {
  prompt: EncodedPrompt
  key: number
  /** What an error calls it; its place among the prompts if absent. */
  name?: string
  /** In place of the option of that name. */
  maxNewTokens?: number
}

/** A request, and what an error calls it. */
interface NamedRequest extends NativeRequest {
  name: string
}

/** Turns options into the engine's requests, one a prompt. Throws `E_CONFIG` for ids that the model does not have. */
export function toRequests(
  prompts: readonly GenerationPrompt[],
  options: GenerateOptions,
  defaults: SamplingDefaults,
): NamedRequest[] {
  refuseForeignIds('stopIds', options.stopIds, defaults.vocabulary)
  refuseForeignIds('bannedIds', options.bannedIds, defaults.vocabulary)
  return prompts.map(({ prompt, key, name, maxNewTokens = options.maxNewTokens ?? 512 }, index) => ({
    name: name ?? `prompt ${index + 1}`,
    ids: prompt.ids,
    images: prompt.images,
    key,
    seed: options.seed ?? 0,
    numSamples: options.numReturnSequences ?? 1,
    maxNewTokens,
    temperature: options.temperature ?? 1,
    topK: options.topK ?? 0,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    stopIds: [...(options.stopIds ?? defaults.stopIds)],
    bannedIds: [...defaults.bannedIds, ...(options.bannedIds ?? [])],
  }))
}

function refuseForeignIds(name: string, ids: readonly number[] | undefined, vocabulary: number): void {
  const at = ids?.findIndex((id) => id >= vocabulary) ?? -1
  if (at < 0) return
  throw new ColdstartError(
    'E_CONFIG',
    `options.${name}[${at}]: expected an id below ${vocabulary}, the size of the vocabulary, got ${ids?.[at]}`,
  )
}

/** Yields the engine's events in order. Leaving the loop, an error, which names its prompt, or an abort ends the generation. */
export async function* generationEvents(
  model: NativeModel,
  requests: NamedRequest[],
  options: { signal?: AbortSignal | undefined; sliceMs?: number } = {},
): AsyncGenerator<NativeEvent, void, void> {
  const { signal } = options
  signal?.throwIfAborted()
  const nameOf = (request: number) => requests[request]?.name ?? `request ${request}`
  const id = await call(model.generateStart(requests), signal, nameOf)
  try {
    while (true) {
      signal?.throwIfAborted()
      const slice = await call(model.generateStep(id, options.sliceMs ?? SLICE_MS), signal, nameOf)
      yield* slice.events
      if (slice.finished) return
    }
  } finally {
    // A failure here follows from the one that ended the loop and must not take its place.
    await model.generateCancel(id)
  }
}

/** Collects the pieces of one completion and decodes them as they come. */
export class CompletionBuilder {
  readonly #decode: (ids: Uint32Array) => string
  readonly #stopStrings: readonly string[]
  readonly #ids: number[] = []
  readonly #logProbs: number[] = []
  readonly #keptMass: number[] = []
  #emitted = 0
  #text = ''
  #finish: 'stop' | 'length' | undefined

  constructor(decode: (ids: Uint32Array) => string, stopStrings: readonly string[] = []) {
    this.#decode = decode
    this.#stopStrings = stopStrings
  }

  /** True once the completion has ended, by the engine or by a stop string. */
  get done(): boolean {
    return this.#finish !== undefined
  }

  /** Takes the engine's next piece, however many tokens it has, and returns what a reader of the stream may see now. */
  push(event: NativeEvent, decodeNow: boolean): StreamChunk | undefined {
    if (this.done) return undefined
    const before = this.#ids.length
    for (const id of event.ids) this.#ids.push(id)
    for (const logProb of event.logProbs) this.#logProbs.push(logProb)
    for (const mass of event.keptMass) this.#keptMass.push(mass)
    const ended = event.finishReason as 'stop' | 'length' | undefined
    if (ended) this.#finish = ended
    if (!decodeNow && !ended && this.#stopStrings.length === 0) return undefined
    this.#text = this.#textOf(this.#ids.length)
    if (this.#stopIn(this.#text) >= 0) this.#stopAfter(before)
    const visible = this.#finish ? this.#text.length : settledLength(this.#text, this.#stopStrings)
    const text = this.#text.slice(this.#emitted, Math.max(visible, this.#emitted))
    this.#emitted = Math.max(visible, this.#emitted)
    const added = this.#ids.length - before
    const { ids, logProbs } = event
    return {
      text,
      ids: ids.slice(0, added),
      logProbs: logProbs.slice(0, added),
      ...(this.#finish ? { finishReason: this.#finish } : {}),
    }
  }

  finish(): Completion {
    return {
      text: this.#text,
      ids: Uint32Array.from(this.#ids),
      logProbs: Float32Array.from(this.#logProbs),
      keptMass: Float32Array.from(this.#keptMass),
      finishReason: this.#finish ?? 'length',
    }
  }

  /**
   * Ends with the first token whose text holds a stop string, which is none of the first `without`: where the engine cut its pieces
   * must not decide what a completion is. What follows a text never takes a stop string out of it again, so halving finds the token.
   */
  #stopAfter(without: number): void {
    let length = this.#ids.length
    while (length - without > 1) {
      const middle = (without + length) >> 1
      if (this.#stopIn(this.#textOf(middle)) < 0) without = middle
      else length = middle
    }
    for (const values of [this.#ids, this.#logProbs, this.#keptMass]) values.length = length
    const text = this.#textOf(length)
    this.#text = text.slice(0, this.#stopIn(text))
    this.#finish = 'stop'
  }

  #textOf(length: number): string {
    return this.#decode(Uint32Array.from(this.#ids.slice(0, length)))
  }

  /** Where the first stop string begins in the text without an unfinished character; -1 if there is none. */
  #stopIn(text: string): number {
    const whole = text.replace(/\uFFFD+$/, '')
    const places = this.#stopStrings.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0)
    return places.length === 0 ? -1 : Math.min(...places)
  }
}

/** Length of the text that no later token can change: not an unfinished character, not the beginning of a stop string. */
function settledLength(text: string, stops: readonly string[]): number {
  let length = text.length
  while (length > 0 && text[length - 1] === '\uFFFD') length--
  for (const stop of stops) {
    for (let n = Math.min(stop.length - 1, length); n > 0; n--) {
      if (stop.startsWith(text.slice(length - n, length))) {
        length -= n
        break
      }
    }
  }
  return length
}
