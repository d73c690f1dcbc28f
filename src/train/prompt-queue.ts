// The prompts of the coming steps: rows in seeded order, encoded, those that are too long left out and counted.
import type { Dataset } from '../data/dataset.js'
import type { Row } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import type { EncodedPrompt, Processor } from '../processor/processor.js'
import type { ResolvedGRPOArgs } from './args.js'
import { RowOrder } from './order.js'

export interface EncodedRow {
  row: Row
  prompt: EncodedPrompt
}

/** Where the queue stands: rows visited and rows left out. */
export interface QueuePosition {
  cursor: number
  tooLong: number
}

export class PromptQueue {
  readonly #processor: Processor
  readonly #dataset: Dataset
  readonly #args: Pick<ResolvedGRPOArgs, 'seed' | 'systemMessage' | 'maxPromptLength'>
  readonly #order: RowOrder
  #tooLong = 0
  #committed: QueuePosition = { cursor: 0, tooLong: 0 }

  constructor(processor: Processor, dataset: Dataset, args: ResolvedGRPOArgs) {
    this.#processor = processor
    this.#dataset = dataset
    this.#args = args
    this.#order = new RowOrder(dataset.length, args.seed)
  }

  /** The next `count` prompts. Throws `E_TOO_LONG` when a whole pass over the data finds none that fits. */
  async take(count: number): Promise<EncodedRow[]> {
    const rows: EncodedRow[] = []
    let rejected = 0
    while (rows.length < count) {
      const batch = Array.from({ length: count - rows.length }, () => this.#dataset.row(this.#order.next()))
      const encoded = await Promise.all(batch.map((row) => this.encode(row).catch(tooLongAsUndefined)))
      for (const row of encoded) {
        if (row) rows.push(row)
        else rejected++
      }
      this.#tooLong += encoded.filter((row) => !row).length
      if (rows.length === 0 && rejected >= this.#dataset.length) {
        throw new ColdstartError('E_TOO_LONG', `no prompt has ${this.#args.maxPromptLength} tokens or fewer`, {
          hint: 'raise maxPromptLength or lower maxPixels',
        })
      }
    }
    return rows
  }

  encode(row: Row): Promise<EncodedRow> {
    const last = row.messages.at(-1)
    const messages = last?.role === 'assistant' ? row.messages.slice(0, -1) : row.messages
    const { systemMessage, maxPromptLength: maxLength } = this.#args
    return this.#processor
      .encode(messages, { addGenerationPrompt: true, systemMessage, maxLength, name: row.source })
      .then((prompt) => ({ row, prompt }))
  }

  /** After the prompts taken so far. */
  get position(): QueuePosition {
    return { cursor: this.#order.cursor, tooLong: this.#tooLong }
  }

  /** Rows left out so far. */
  get tooLong(): number {
    return this.#committed.tooLong
  }

  get epoch(): number {
    return this.#committed.cursor / this.#dataset.length
  }

  /** Marks prompts as trained on: a resumed run goes on behind them. */
  commit(position: QueuePosition): void {
    this.#committed = position
  }

  get committed(): QueuePosition {
    return this.#committed
  }

  restore(position: QueuePosition): void {
    this.#committed = position
    this.#order.cursor = position.cursor
    this.#tooLong = position.tooLong
  }
}

function tooLongAsUndefined(error: unknown): undefined {
  if (error instanceof ColdstartError && error.code === 'E_TOO_LONG') return undefined
  throw error
}
