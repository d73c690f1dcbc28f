/** Turns of a conversation: roles, contents, and which image goes where. */

import { ColdstartError } from '../errors.js'
import { imageOf, kindOf, maxImagesPerRow, tooManyImages } from './images.js'
import type { PathResolver } from './paths.js'
import type { ImageInput, ResolvedImagePart, Role, RowMessage, TextPart } from './types.js'

/** Position of an image in the text of a user turn. */
const imageMarker = '<image>'

/** A turn as its source gives it. */
export interface RawTurn {
  role: Role
  content: unknown
  /** Where in the row, for errors: `messages[2]`. */
  name: string
}

/** An image that the row's list will fill in. */
interface Placeholder {
  type: 'placeholder'
}

type OpenPart = TextPart | ResolvedImagePart | Placeholder

/**
 * Content becomes parts, and the row's images go to their positions: to `<image>` in the strings of user turns and to
 * image parts without an image, in order. With no position at all they come first in the first user turn.
 *
 * @throws ColdstartError `E_DATA_ROW` for turns that are no conversation, or more or fewer images than positions.
 */
export function resolveTurns(
  turns: readonly RawTurn[],
  images: readonly ImageInput[],
  paths: PathResolver,
): RowMessage[] {
  if (turns.length === 0) throw new ColdstartError('E_DATA_ROW', 'no messages')
  const open = turns.map((turn, index) => {
    if (turn.role === 'system' && index > 0) {
      throw new ColdstartError('E_DATA_ROW', `${turn.name}: a system message must come first`)
    }
    return { role: turn.role, content: partsOf(turn, paths) }
  })
  const firstUser = open.find((turn) => turn.role === 'user')
  if (firstUser === undefined) throw new ColdstartError('E_DATA_ROW', 'no user message')

  const parts = open.flatMap((turn) => turn.content)
  const positions = parts.filter((part) => part.type === 'placeholder').length
  const inline = parts.filter((part) => part.type === 'image').length
  if (inline + images.length > maxImagesPerRow) throw tooManyImages(inline + images.length)

  if (positions === 0 && inline === 0 && images.length > 0) {
    refuseMarkersInParts(
      turns,
      open.map((turn) => turn.content),
    )
    firstUser.content.unshift(...images.map((): Placeholder => ({ type: 'placeholder' })))
  } else if (positions !== images.length) {
    const places = `${positions} ${positions === 1 ? 'position' : 'positions'}`
    const count = `${images.length} ${images.length === 1 ? 'image' : 'images'}`
    throw new ColdstartError(
      'E_DATA_ROW',
      `${count} for ${places} (${imageMarker} or an image part without an image)`,
      {
        hint: `text that is meant to contain ${imageMarker} must be written as a text part`,
      },
    )
  }

  const rest = images[Symbol.iterator]()
  const fill = (part: OpenPart): TextPart | ResolvedImagePart =>
    // The counts were compared above, so there is an image for each position.
    part.type === 'placeholder' ? { type: 'image', image: rest.next().value as ImageInput } : part
  return open.map(({ role, content }) => ({ role, content: content.map(fill) }))
}

/** Someone wrote parts but kept the markers of the string form: either reading could be meant. */
function refuseMarkersInParts(turns: readonly RawTurn[], contents: readonly OpenPart[][]): void {
  const isAmbiguous = (part: OpenPart): boolean => part.type === 'text' && part.text.includes(imageMarker)
  const turn = turns.find(({ content }, index) => Array.isArray(content) && contents[index]!.some(isAmbiguous))
  if (turn === undefined) return
  throw new ColdstartError(
    'E_DATA_ROW',
    `${turn.name}: ${imageMarker} in a text part is plain text, and no part is an image`,
    {
      hint: 'write { "type": "image" } parts, or give the content as one string',
    },
  )
}

function partsOf(turn: RawTurn, paths: PathResolver): OpenPart[] {
  const { content, name, role } = turn
  if (typeof content === 'string') return role === 'user' ? splitMarkers(content) : [{ type: 'text', text: content }]
  if (!Array.isArray(content)) {
    throw new ColdstartError('E_DATA_ROW', `${name}: expected a string or an array of parts, got ${kindOf(content)}`)
  }
  return content.map((part, index) => partOf(part, `${name}.content[${index}]`, paths))
}

function splitMarkers(text: string): OpenPart[] {
  const parts: OpenPart[] = []
  for (const [index, piece] of text.split(imageMarker).entries()) {
    if (index > 0) parts.push({ type: 'placeholder' })
    if (piece !== '') parts.push({ type: 'text', text: piece })
  }
  return parts.length === 0 ? [{ type: 'text', text: '' }] : parts
}

function partOf(part: unknown, name: string, paths: PathResolver): OpenPart {
  if (typeof part === 'string') return { type: 'text', text: part }
  if (typeof part !== 'object' || part === null) {
    throw new ColdstartError('E_DATA_ROW', `${name}: expected a part, got ${kindOf(part)}`)
  }
  const { type, text, image, image_url: imageUrl, path, url, bytes } = part as Record<string, unknown>
  if (type === 'text') {
    if (typeof text !== 'string')
      throw new ColdstartError('E_DATA_ROW', `${name}.text: expected a string, got ${kindOf(text)}`)
    return { type: 'text', text }
  }
  if (type === 'image' || type === 'image_url') {
    const value = image ?? imageUrl ?? ((path ?? url ?? bytes) ? { path, url, bytes } : undefined)
    if (value !== undefined) return { type: 'image', image: imageOf(value, name, paths) }
    return { type: 'placeholder' }
  }
  throw new ColdstartError('E_DATA_ROW', `${name}.type: expected "text", "image" or "image_url", got ${kindOf(type)}`)
}
