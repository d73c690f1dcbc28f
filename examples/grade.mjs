// From a response to a verdict, and what to check before a run pays for it.    node examples/grade.mjs
import { accuracyReward, extractBoxed, grade, gradeBatch, lintGolds } from 'coldstart/rewards'

// The last box is the answer; no box is no answer, and no answer is never right.
const response = String.raw`<think>The legs are 2√3, so …</think> The side is \boxed{2\sqrt{3}}.`
const given = extractBoxed(response)
const { correct, path } = grade(given, String.raw`\frac{6}{\sqrt{3}}`)
console.log(`${given} is ${correct ? 'right' : 'wrong'} (${path})`)

// A step's worth of answers, on threads of their own.
const items = [
  { given: '0.375', gold: String.raw`\frac{3}{8}` },
  { given: '6/16', gold: String.raw`\frac{3}{8}` },
  { given: extractBoxed('It is 12.'), gold: '12' },
]
for (const profile of ['mathruler', 'lenient']) {
  const verdicts = await gradeBatch(items, { profile })
  console.log(`${profile}: ${verdicts.map((verdict) => (verdict.correct ? 'right' : 'wrong')).join(', ')}`)
}

// Gold answers that no response, or any response, would match.
for (const { index, gold, message, suggestion } of await lintGolds(['12', '55°', 'C.'])) {
  console.log(`gold ${index}, ${gold}: ${message}; better ${suggestion}`)
}

// The reward of a trainer is the same in one piece: a number a completion, null where there is no gold answer.
const completions = [response, String.raw`\boxed{4}`, String.raw`\boxed{4}`]
const answers = [String.raw`\frac{6}{\sqrt{3}}`, '5', undefined]
console.log(await accuracyReward()({ completions, answers }))
