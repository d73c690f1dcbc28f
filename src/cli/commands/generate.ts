/** `coldstart generate`: one completion, printed while it is made. */

import { addAbortSignal } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ContentPart, Message } from '../../data/types.js'
import type { DType } from '../../model/types.js'
import { needModel } from '../model-folder.js'
import type { Context } from '../program.js'

/** Flags of the command. */
export interface GenerateFlags {
  prompt: string
  image: readonly string[]
  system?: string
  maxNewTokens: number
  temperature: number
  topP: number
  topK: number
  minP: number
  seed: number
  dtype: DType
}

/** Completes a prompt with images; stdout gets the text piece by piece. */
export async function generateCommand(
  folder: string,
  flags: GenerateFlags,
  { output, signal }: Context,
): Promise<void> {
  needModel(folder)
  const { prompt, image, system, dtype, maxNewTokens, temperature, topP, topK, minP, seed } = flags
  const sampling = { maxNewTokens, temperature, topP, topK, minP, seed }
  const question = prompt === '-' ? await standardInput(signal) : prompt
  const content: ContentPart[] = [
    ...image.map((path): ContentPart => ({ type: 'image', image: path })),
    { type: 'text', text: question },
  ]
  const messages: Message[] = [{ role: 'user', content }]
  if (system !== undefined) messages.unshift({ role: 'system', content: system })

  const { VisionLanguageModel } = await import('../../model/model.js')
  const model = await VisionLanguageModel.fromPretrained(folder, { dtype, signal })
  try {
    let tokens = 0
    for await (const chunk of model.stream(messages, { ...sampling, signal })) {
      tokens += chunk.ids.length
      output.event({ type: 'chunk', text: chunk.text, finishReason: chunk.finishReason })
      output.result(chunk.text)
      if (chunk.finishReason !== undefined) {
        output.result('\n')
        const cut = chunk.finishReason === 'length' ? ', cut at the length limit' : ''
        output.say(`${tokens} tokens${cut}`)
      }
    }
  } finally {
    await model.close()
  }
}

/** All of standard input; it may stay silent for ever, so an abort ends the wait. */
async function standardInput(signal: AbortSignal): Promise<string> {
  try {
    return await text(addAbortSignal(signal, process.stdin))
  } catch (error) {
    // The stream wraps the reason in an error of its own.
    signal.throwIfAborted()
    throw error
  }
}
