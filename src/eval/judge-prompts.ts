/** Questions to a judge: a template with the texts of a row put in, literally and in one pass. */

import { promptTexts } from './prompt-texts.js'

/** What the paper's sister project asks its judge, about every row. */
const sameMeaning = `Your task is to judge whether the response expresses the same meaning as the answer of a question.
The question is: <<<question>>>
The answer is: <<<answer>>>
The response is: <<<response>>>
Please check and compare them and then judge. If the response is correct, your output should be Yes. Otherwise, your output should be No. Directly give me your output.`

const templates = {
  'paper.judge': sameMeaning,
  ...(Object.fromEntries(Object.entries(promptTexts).map(([id, { template }]) => [id, template])) as Record<
    keyof typeof promptTexts,
    string
  >),
}

/** Name of a judge prompt. */
export type JudgePromptId = keyof typeof templates

/**
 * The prompt `id` with its fields put in. A response that contains `<<<question>>>`, or asks for a verdict, is only text:
 * what was put in is not looked at again.
 *
 * @throws Error for a field of the template that is not given.
 */
export function judgePrompt(id: JudgePromptId, fields: Readonly<Record<string, string>>): string {
  // Every second piece is the name of a field.
  const pieces = templates[id].split(/<<<(\w+)>>>/)
  return pieces.map((piece, index) => (index % 2 === 0 ? piece : field(fields, piece, id))).join('')
}

/**
 * The five worked examples that VLMEvalKit shows before a MathVista response. The benchmark's own script shows the same
 * five in another layout, under a licence that this package cannot take over.
 */
export function mathvistaExamples(): string {
  return templates['vlmevalkit.mathvista.extract'].split('<<<question>>>', 1)[0]!.trim()
}

function field(fields: Readonly<Record<string, string>>, name: string, id: string): string {
  if (Object.hasOwn(fields, name)) return fields[name]!
  throw new Error(`judge prompt ${id}: no text for its field ${name}`)
}
