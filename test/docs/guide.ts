// A guide of docs/ as data: what it claims in tables and shows in blocks, so that tests can hold it to its word.
import { readFileSync } from 'node:fs'

/** A fenced block. */
export interface Block {
  language: string
  text: string
  /** Of a block that is announced as a file: "`answers.jsonl`:" on the line before. */
  file?: string
}

/** A command of a `console` block and what it prints. */
export interface Shown {
  words: string[]
  output: string
}

/** The text of `docs/<name>.md`. */
export function guide(name: string): string {
  return readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')
}

/** Cells of every table row; text in single backticks without them. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|') && !/^\|[-|]+$/.test(line))
  return lines.map((line) => line.slice(1, -1).split('|').map(plain))
}

export function blocks(text: string): Block[] {
  return [...text.matchAll(/(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)].map(([, file, language, content]) => ({
    language: language as string,
    text: content as string,
    ...(file === undefined ? {} : { file }),
  }))
}

/** The commands of the `console` blocks, in order. */
export function shownCommands(text: string): Shown[] {
  const shells = blocks(text).filter(({ language }) => language === 'console')
  return shells.flatMap((block) =>
    block.text.split(/^\$ coldstart /m).flatMap((part): Shown[] => {
      const [words = '', ...output] = part.split('\n')
      return words === '' ? [] : [{ words: words.split(' '), output: output.join('\n') }]
    }),
  )
}

/** Commands that are told without their output: lines that begin with `coldstart`, indented or in `sh` blocks. */
export function toldCommands(text: string): string[][] {
  return [...text.matchAll(/^(?: {4})?coldstart (.+)$/gm)].map(([, words]) => (words as string).split(' '))
}

const plain = (cell: string): string => cell.trim().replace(/^`([^`]*)`$/, '$1')
