/** We-Math's questions in the wording of each preset. */

import type { WeMathFields } from './data.js'
import { parseOptions } from './options.js'

const format = `Regarding the format, please answer following the template below, and be sure to include two <> symbols:
<Thought process>: <<your thought process>> <Answer>: <<your option>>`

/** The authors' template. */
export function officialText({ question, option }: WeMathFields): string {
  return `Now, we require you to solve a multiple-choice math question. Please briefly describe your thought process and provide the final answer(option).
Question: ${question}
Option: ${option}
${format}`
}

/** Question and options as published. */
export function paperText({ question, option }: WeMathFields): string {
  return `${question}\n${option}`
}

/** The toolkit's lines, a line break at the end; with `cot` the authors' format after an empty line. */
export function toolkitText({ question, option }: WeMathFields, cot: boolean): string {
  const lines = `Question: ${question}\nOptions:\n${optionLines(option)}`
  return cot ? `${lines}\n${format}` : lines
}

/** Options as the toolkit tells them to its judge. */
export function judgeOptions(option: string): string {
  return `There are several options: \n${optionLines(option)}`
}

function optionLines(option: string): string {
  return Object.entries(parseOptions(option))
    .map(([letter, text]) => `${letter}. ${text}\n`)
    .join('')
}
