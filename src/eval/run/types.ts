/** The files of an evaluation folder, line by line, and the report made from them. */

import type { BenchmarkName, Cell, PresetName, ProtocolOptions, Sampling, Scored } from '../types.js'

/** `run.json`: everything that decides which responses are generated. A folder holds one such run. */
export interface RunFacts {
  format: 1
  /** Version of this package that began the run. */
  coldstart: string
  protocol: { benchmark: BenchmarkName; preset: PresetName; version: string; options: ProtocolOptions }
  /** null: responses from a file, whoever sampled them. */
  sampling: (Sampling & { seed: number }) | null
  /** Limits on the area of a resized image, in pixels; null: the model's own, or responses from a file. */
  pixels: { minPixels: number; maxPixels: number } | null
  /** The model that answers, or the file of responses. */
  answers: ModelFacts | ResponsesFacts
  dataset: DatasetFacts
}

/** A model folder. */
export interface ModelFacts {
  kind: 'model'
  path: string
  /** SHA-256 over the files that decide what it says: weights, configs, tokenizer, chat template. */
  fingerprint: string
  dtype: string
}

/** A file of responses made elsewhere. */
export interface ResponsesFacts {
  kind: 'responses'
  path: string
  /** SHA-256 of the file. */
  fingerprint: string
}

/** What was answered. */
export interface DatasetFacts {
  /** As it was given. */
  path: string
  /** Where data and images are, seen from the evaluation's folder: its page finds them from any working directory. */
  from: { data: string; imageRoot: string | null }
  split: string
  /** SHA-256 over ids, golds and columns of the rows that were read, images left out. */
  fingerprint: string
  /** SHA-256 over the encoded images of the rows answered; null: responses from a file need none. */
  images: string | null
  /** The commit it was downloaded from, where that is known. */
  revision: string | null
  /** Rows that were read. */
  rows: number
  /** Rows that a complete split has. */
  published: number
  /** Rows that are answered: the first ones. */
  answered: number
  /** Rows among them whose image is absent from the data; left out where there are none. Only responses from a file can have any. */
  withoutImage?: number
}

/** A line of `data.jsonl`: a row without its images, so that scoring needs nothing outside the folder. */
export interface DataLine {
  id: string
  source: string
  gold: string
  groups: Record<string, string | string[]>
  fields: Record<string, unknown>
}

/** A line of `rows.jsonl`, in the order of the data. */
export interface ResponseLine {
  id: string
  /** SHA-256 of the prompt's words, system turn included; null where the response came from a file. */
  promptHash: string | null
  /** null: a file of responses had none for this row. */
  response: string | null
  /** `length`: cut at `maxNewTokens`. null: not known. */
  finishReason: 'stop' | 'length' | null
  /** Tokens of the prompt and of the response; 0 where nothing was generated. */
  promptTokens: number
  tokens: number
  /** Since the row before it was written, or since this command began to generate: their sum is the time spent. */
  seconds: number
}

/** A line of `scores.jsonl`, in the order of the data. */
export interface ScoreLine extends Scored {
  id: string
  gold: string
}

/** `report.json`. */
export interface EvaluationReport {
  format: 1
  coldstart: string
  protocol: RunFacts['protocol']
  /** Who settled what rules alone could not: the endpoint's model, `rules`, `none`, or null where the protocol asks nobody. */
  judge: string | null
  sampling: RunFacts['sampling']
  pixels: RunFacts['pixels']
  answers: RunFacts['answers']
  dataset: DatasetFacts
  /** Other rows than the published split has, fewer or more: no score of the benchmark. */
  subset: boolean
  /** More than 1 % of the rows are unjudged. */
  incomplete: boolean
  /** Headline in [0, 1], and what it is. */
  score: number
  metric: string
  /** 95 % Wilson interval of `score`, as of a share of `n`. */
  ci95: [low: number, high: number]
  /** Units behind the headline (rows, or We-Math's composite problems), and how many of them are right. */
  n: number
  correct: number
  breakdowns: Record<string, Record<string, Cell>>
  extra?: Record<string, unknown>
  /** Rows, and of them: without a verdict, nothing extracted, no response given, cut at `maxNewTokens`. */
  rows: number
  unjudged: number
  noAnswer: number
  missing: number
  truncated: number
  /** Rows whose answer is not published: nothing is right for them. */
  withoutGold: number
  /** Rows by the rule or judge that decided. */
  paths: Record<string, number>
  /** Questions put to the judge, stored replies included. */
  judgeCalls: number
  /** Time spent on generating, over all calls, and on the last scoring. */
  seconds: { generating: number; scoring: number }
  /** Tokens of prompts and of responses. */
  tokens: { prompt: number; response: number }
}
