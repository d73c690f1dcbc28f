// Whether the images of a data set can be read, found out before a run pays for it.
import type { Dataset } from '../data/dataset.js'
import type { Row, SkippedRow } from '../data/types.js'
import { ColdstartError } from '../errors.js'
import { checkImage } from './decode.js'

/** Rows whose images are looked at together. */
const rowsAtOnce = 32

/**
 * The rows whose images have sizes, formats and headers that are read. The others are bad rows: an error, or left out, as the
 * data set has it. What lies behind a header shows only when the image is decoded.
 */
export async function withReadableImages(dataset: Dataset, signal?: AbortSignal): Promise<Dataset> {
  const faults = new Map<Row, Omit<SkippedRow, 'source'>>()
  const rows = [...dataset]
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    signal?.throwIfAborted()
    await Promise.all(
      rows.slice(first, first + rowsAtOnce).map(async (row) => {
        const fault = await faultOf(row)
        if (fault) faults.set(row, fault)
      }),
    )
  }
  return dataset.without((row) => faults.get(row))
}

async function faultOf(row: Row): Promise<Omit<SkippedRow, 'source'> | undefined> {
  const images = row.messages.flatMap(({ content }) =>
    content.flatMap((part) => (part.type === 'image' ? [part.image] : [])),
  )
  try {
    for (const [index, image] of images.entries()) {
      await checkImage(image, typeof image === 'string' ? `image ${image}` : `image ${index + 1}`)
    }
  } catch (error) {
    if (!(error instanceof ColdstartError)) throw error
    return { code: error.code, message: error.message }
  }
  return undefined
}
