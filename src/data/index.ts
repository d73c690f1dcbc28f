/**
 * Data sets: reading, checking, and the one form that every shape of row becomes.
 *
 * @module
 */

export { Dataset } from './dataset.js'
export { loadDataset } from './load.js'
export type {
  ContentPart,
  DatasetLike,
  ImageInput,
  ImagePart,
  LoadDatasetOptions,
  Message,
  ResolvedImagePart,
  Role,
  Row,
  RowMessage,
  SkippedRow,
  TextPart,
} from './types.js'
