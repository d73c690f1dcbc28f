/**
 * What the parts of a benchmark run say to each other. A benchmark knows its published data and its protocols; a judge
 * answers questions; the runner reads, generates and stores, and knows no benchmark by name.
 */

import type { ImageInput } from '../data/types.js'

/** The benchmarks that are built in. */
export type BenchmarkName = 'mathvista' | 'mathverse' | 'mathvision' | 'wemath' | 'geometry3k'

/**
 * Who fixed everything from prompt to score: the benchmark's own authors (`official`), the paper that this package
 * follows (`paper`), or the toolkit that most published tables are made with (`vlmevalkit`).
 */
export type PresetName = 'paper' | 'vlmevalkit' | 'official'

/** An image of a row, read only when it is needed: thousands of encoded images never lie in memory together. */
export interface RowImage {
  /** File and row (and column), for messages: `testmini.parquet[12] decoded_image`. */
  readonly source: string
  /** The encoded bytes, or the real path of a file under the data root. Rejects with a `ColdstartError`. */
  read(): Promise<ImageInput>
  /** The data have none where the row needs one: {@link RowImage.read} rejects with `E_DATA_ROW`. */
  readonly isAbsent?: true
}

/** A record of a data file as published. */
export interface RawRecord {
  /** File and row, for messages: `testmini.parquet[12]`, `test.jsonl:13`. */
  readonly source: string
  /**
   * Columns by name. In image columns (see {@link SplitSpec.images}) a {@link RowImage}, an array of them, or null;
   * 64-bit integers are numbers.
   */
  readonly values: Readonly<Record<string, unknown>>
}

/** A published row in our words. */
export interface BenchmarkRow {
  /** Unique in its split. */
  id: string
  /** As {@link RawRecord.source}. */
  source: string
  /** In the published order. Empty when rows are scored again from a folder: scoring needs no images. */
  images: readonly RowImage[]
  /** The published answer, unchanged. */
  gold: string
  /** Keys of breakdowns; a row counts once under each value. */
  groups: Record<string, string | string[]>
  /** Published columns, images left out: plain JSON data. All that prompts and scores are made from besides `gold`. */
  fields: Record<string, unknown>
}

/** A prompt before images are read. */
export interface PromptText {
  /** System turn. Undefined: the chat template's own. */
  system?: string
  /** The user's text after the images. Literal: no placeholder in it ever becomes an image. */
  text: string
  images: readonly RowImage[]
}

/** How responses are sampled; one a row. */
export interface Sampling {
  /** 0 takes the likeliest token. */
  temperature: number
  topP?: number
  topK?: number
  repetitionPenalty?: number
  maxNewTokens: number
}

/** How to ask a judge. */
export interface AskOptions {
  temperature: number
  maxTokens?: number
  /** Tells retries of one question apart in the stored transcripts. Default 0. */
  attempt?: number
  signal?: AbortSignal
}

/** Answers questions about responses. */
export interface Judge {
  /** What reports call it: the endpoint's model. */
  readonly name: string
  /** The reply; null: the endpoint failed or the reply is unusable. */
  ask(prompt: string, options: AskOptions): Promise<string | null>
}

/** A judge, the rules of this package in its place (`rules`), or nothing: rows that need a judge stay unjudged. */
export type JudgeChoice = Judge | 'rules' | 'none'

/** What became of a response. */
export interface Scored {
  /** What was found in the response; null: nothing. */
  extraction: string | null
  /** null: unjudged; counts as wrong and is reported. */
  correct: boolean | null
  /** Which rule or judge decided: `rule:choice`, `judge:score`, `rules:lenient`, `missing`. */
  path: string
  /** Questions that were put to the judge. */
  calls: number
}

/** Switches of protocols. Each protocol reads some of them, named with their defaults in {@link Protocol.options}. */
export interface ProtocolOptions {
  /** Text after the question. */
  suffix?: string | undefined
  /** Extract by the quick pattern, or compare texts, before or instead of a judge. */
  quick?: boolean | undefined
  /** An empty extraction matches nothing, where the official rule picks the shortest choice. */
  ignoreEmpty?: boolean | undefined
  /** Integers by the rule of older published outputs. */
  legacyInt?: boolean | undefined
  /** Ask for reasoning first. */
  cot?: boolean | undefined
  /** Words at the end of a response that the judge extracts from; 0: all. */
  lastWords?: number | undefined
}

/** What scoring depends on besides row and response. */
export interface Scoring {
  judge: JudgeChoice
  /** Complete: every option that the protocol reads has a value. */
  options: Readonly<ProtocolOptions>
  signal?: AbortSignal
}

/** A row with its response and verdict. */
export interface ScoredRow {
  row: BenchmarkRow
  scored: Scored
  /** null: none was given; counts as wrong. */
  response: string | null
}

/** A share of right answers. */
export interface Cell {
  n: number
  correct: number
  /** `correct / n`; We-Math's score of a domain is a mean of its concepts instead. */
  accuracy: number
  /** As the official script prints it, where that differs from a percentage with one digit. */
  text?: string
}

/** Numbers of a run. */
export interface Summary {
  /** The headline, in [0, 1]. */
  score: number
  /** What the headline is: `accuracy`, `strict score`. */
  metric: string
  /** Rows behind the headline. */
  n: number
  /** Right answers among them. */
  correct: number
  /** Name of a breakdown, its key, the cell. */
  breakdowns: Record<string, Record<string, Cell>>
  /** Further official numbers, such as We-Math's rates: plain JSON data. */
  extra?: Record<string, unknown>
}

/** Everything that a preset fixes for one benchmark. */
export interface Protocol {
  readonly benchmark: BenchmarkName
  readonly preset: PresetName
  /** Changes whenever prompt or rule changes. */
  readonly version: string
  /** Smallest and largest area of a resized image. Undefined: those of the model's `preprocessor_config.json`. */
  readonly pixels?: { readonly minPixels: number; readonly maxPixels: number }
  readonly sampling: Sampling
  /** The options that it reads, with their defaults; any other is refused. */
  readonly options: Readonly<ProtocolOptions>
  /** Whether rows need a judge: every row, rows that rules cannot settle, or none. */
  readonly judge: 'required' | 'optional' | 'never'
  /** What the model is asked about a row. Pure, and independent of the images' content. */
  prompt(row: BenchmarkRow, options: Readonly<ProtocolOptions>): PromptText
  /** Pure but for the judge: the same row, response and replies give the same verdict. */
  score(row: BenchmarkRow, response: string, scoring: Scoring): Promise<Scored>
  /** `rows` in the order of the data, not necessarily all of a split. */
  summarize(rows: readonly ScoredRow[]): Summary
}

/** A published split. */
export interface SplitSpec {
  /** Published number of rows. */
  readonly rows: number
  /** Columns that every record must have, image columns left out. */
  readonly columns: readonly string[]
  /** Columns that hold images, in some layout: `['decoded_image', 'image']`. */
  readonly images: readonly string[]
  /** First part of its file names, if it isn't the split's name: `testmini` finds `testmini-00000-of-00001.parquet`. */
  readonly file?: string
}

/** A file beside the rows that tells more about them. */
export interface Companion {
  /** Its name, in the folder of the rows or in the one that was given. */
  readonly file: string
  /** The rows with what `content`, the file's JSON, says of them. Throws `E_DATA_FORMAT` or `E_DATA_ROW`. */
  add(rows: readonly BenchmarkRow[], content: unknown): BenchmarkRow[]
}

/** A benchmark: its data and its protocols. */
export interface Benchmark {
  readonly name: BenchmarkName
  /** Its splits by name; the first is the default. */
  readonly splits: Readonly<Record<string, SplitSpec>>
  /**
   * Records become rows, in their order. The runner has checked that {@link SplitSpec.columns} are there, and checks
   * the number of rows and that ids are unique. Throws `E_DATA_ROW` naming the record's source.
   */
  read(records: readonly RawRecord[], split: string): BenchmarkRow[]
  /** Used where it is there; nothing is missing without it but a breakdown. */
  readonly companion?: Companion
  readonly protocols: Readonly<Partial<Record<PresetName, Protocol>>>
}
