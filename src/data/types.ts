/** What a dataset is made of: rows of messages whose content is text and images. */

/** An image: path of a file, or its encoded bytes (PNG, JPEG or WebP). */
export type ImageInput = string | Uint8Array

/** A piece of text, taken literally. */
export interface TextPart {
  type: 'text'
  text: string
}

/** An image at this position. Without `image`, the next one of the row's `images`. */
export interface ImagePart {
  type: 'image'
  image?: ImageInput
}

/** A piece of a message. */
export type ContentPart = TextPart | ImagePart

/** Who speaks. */
export type Role = 'system' | 'user' | 'assistant'

/** One turn of a conversation. In a string, each `<image>` of a user turn marks the position of an image. */
export interface Message {
  role: Role
  content: string | ContentPart[]
}

/** An image part whose image is known. */
export interface ResolvedImagePart {
  type: 'image'
  /** Absolute path, symbolic links resolved, or the encoded bytes. */
  image: ImageInput
}

/** A turn after normalising: parts only, and every image known. */
export interface RowMessage {
  role: Role
  content: (TextPart | ResolvedImagePart)[]
}

/** One sample, whatever shape it was written in. */
export interface Row {
  /** The turns. The last one is a response where the data has responses (SFT), else the user's. */
  messages: RowMessage[]
  /** The gold answer. Absent where the data has none. */
  answer?: string
  /** The `id` column, or the row's number in its source counted from 0. A repeated id gets `#2`, `#3`, … */
  id: string
  /** Where the row came from: `train.jsonl:12` (line, from 1), `train.json[3]` or `rows[3]` (index, from 0). */
  source: string
  /** Columns that are no part of the sample, given to reward functions. */
  extra: Record<string, unknown>
}

/**
 * What {@link loadDataset} reads: the path of a `.jsonl` or `.json` file, an array of records, or an asynchronous
 * stream of records.
 */
export type DatasetLike =
  | string
  | readonly Readonly<Record<string, unknown>>[]
  | AsyncIterable<Readonly<Record<string, unknown>>>

/** How to read a dataset. */
export interface LoadDatasetOptions {
  /** Folder that image paths are relative to. Default: the folder of the file, or the working directory. */
  imageRoot?: string | undefined
  /** Names of columns that are called differently: `{ problem: 'question' }` reads `problem` from column `question`. */
  columns?: Readonly<Record<string, string>> | undefined
  /** Allow absolute image paths, `..`, and links that leave the image root. Default: refuse them. */
  allowPaths?: boolean | undefined
  /**
   * `strict` (default) throws an error listing the first 20 bad rows; `skip` leaves them out and records each. Trainers do the same
   * with rows that turn out bad when they are used: no response, an image that cannot be decoded, too many tokens.
   */
  badRows?: 'strict' | 'skip' | undefined
  /** Stops reading; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** A row that was left out, and why. */
export interface SkippedRow {
  /** As {@link Row.source}. */
  source: string
  /** Code of the error that `strict` would have thrown. */
  code: string
  /** What is wrong with it. */
  message: string
}
