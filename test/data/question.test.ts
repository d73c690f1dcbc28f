import { expect, it } from 'vitest'
import { questionOf } from '../../src/data/question.js'
import type { RowMessage } from '../../src/data/types.js'

const turn = (role: RowMessage['role']): RowMessage => ({ role, content: [{ type: 'text', text: role }] })

it('a question is the conversation without the response it ends in; earlier responses stay', () => {
  const question = [turn('user'), turn('assistant'), turn('user')]
  expect(questionOf({ messages: question })).toEqual(question)
  expect(questionOf({ messages: [...question, turn('assistant')] })).toEqual(question)
})
