import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { standardColumns } from '../../src/data/shapes.js'
import { ColdstartError, loadDataset, type Row } from '../../src/index.js'

const png = Uint8Array.of(1, 2, 3)
const other = Uint8Array.of(4, 5)

async function rowOf(record: Record<string, unknown>, columns?: Record<string, string>): Promise<Row> {
  return (await loadDataset([record], columns === undefined ? {} : { columns })).row(0)
}

async function messageOf(record: Record<string, unknown>): Promise<string> {
  const error: unknown = await loadDataset([record]).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ColdstartError)
  return (error as ColdstartError).message
}

/** Messages in short: `user: text|#bytes`. */
function brief(row: Row): string[] {
  return row.messages.map(({ role, content }) => {
    const parts = content.map((part) =>
      part.type === 'text' ? part.text : `#${[...(part.image as Uint8Array)].join('')}`,
    )
    return `${role}: ${parts.join('|')}`
  })
}

describe('shapes of rows', () => {
  it('reads {images, problem, answer}', async () => {
    const row = await rowOf({ images: [png], problem: '<image>How many?', answer: 7, level: 'easy' })
    expect(brief(row)).toEqual(['user: #123|How many?'])
    expect(row).toMatchObject({ answer: '7', extra: { level: 'easy' } })
  })

  it('reads {query, response, history, system}', async () => {
    const row = await rowOf({ query: 'c', response: 'd', history: [['a', 'b']], system: 's', images: null })
    expect(brief(row)).toEqual(['system: s', 'user: a', 'assistant: b', 'user: c', 'assistant: d'])
  })

  it('reads {messages} with strings, text and image parts, and image_url', async () => {
    const url = `data:image/png;base64,${Buffer.from(other).toString('base64')}`
    const row = await rowOf({
      messages: [
        { role: 'system', content: 's' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'see' },
            { type: 'image' },
            { type: 'image_url', image_url: { url } },
            { type: 'image', image: { bytes: other, path: null } },
          ],
        },
        { role: 'assistant', content: 'yes' },
      ],
      images: [png],
    })
    expect(brief(row)).toEqual(['system: s', 'user: see|#123|#45|#45', 'assistant: yes'])
  })

  it('reads {conversations} of ShareGPT with one image', async () => {
    const turns = [
      { from: 'human', value: '<image>\nWhat?' },
      { from: 'gpt', value: 'A cat.' },
    ]
    expect(brief(await rowOf({ conversations: turns, image: png }))).toEqual([
      'user: #123|\nWhat?',
      'assistant: A cat.',
    ])
  })

  it('reads {prompt, solution} and {prompt, completion}, as strings or messages', async () => {
    const chat = await rowOf({ prompt: [{ role: 'user', content: 'q' }], solution: '4' })
    expect(brief(chat)).toEqual(['user: q'])
    expect(chat.answer).toBe('4')
    expect(brief(await rowOf({ prompt: 'q', completion: 'a' }))).toEqual(['user: q', 'assistant: a'])
  })

  it('reads {instruction, input, output}, with the input on a line of its own', async () => {
    expect(brief(await rowOf({ instruction: 'Add.', input: '1 2', output: '3' }))).toEqual([
      'user: Add.\n1 2',
      'assistant: 3',
    ])
    expect(brief(await rowOf({ instruction: 'Hi.', input: '', output: 'Ho.' }))).toEqual([
      'user: Hi.',
      'assistant: Ho.',
    ])
  })

  it('prefers messages where two shapes are present, and keeps the other columns as extra', async () => {
    const row = await rowOf({ messages: [{ role: 'user', content: 'm' }], prompt: 'p' })
    expect(brief(row)).toEqual(['user: m'])
    expect(row.extra).toEqual({ prompt: 'p' })
  })

  it('reads columns that are called differently', async () => {
    const row = await rowOf({ question: 'q', gold: 'g', answer: 'unused' }, { problem: 'question', answer: 'gold' })
    expect(brief(row)).toEqual(['user: q'])
    expect(row).toMatchObject({ answer: 'g', extra: {} })
  })

  it('a mapped column that a row lacks is an error', async () => {
    await expect(rowOf({ problem: 'q' }, { answer: 'gold' })).rejects.toThrow(/no column "gold"/)
  })

  it('an unknown name in columns is refused with the nearest known one', async () => {
    await expect(rowOf({ problem: 'q' }, { problm: 'q' })).rejects.toMatchObject({
      code: 'E_CONFIG',
      hint: 'did you mean "problem"?',
    })
  })

  it('keeps __proto__ columns as data', async () => {
    const record = JSON.parse('{"problem": "q", "__proto__": {"polluted": 1}}') as Record<string, unknown>
    const { extra } = await rowOf(record)
    expect(Object.entries(extra)).toEqual([['__proto__', { polluted: 1 }]])
    expect('polluted' in extra).toBe(false)
  })
})

describe('image positions', () => {
  it('markers take the images in order, through all user turns', async () => {
    const row = await rowOf({
      messages: [
        { role: 'user', content: 'a<image>b' },
        { role: 'assistant', content: 'c' },
        { role: 'user', content: '<image>' },
      ],
      images: [png, other],
    })
    expect(brief(row)).toEqual(['user: a|#123|b', 'assistant: c', 'user: #45'])
  })

  it('without any position images come first in the first user turn', async () => {
    expect(brief(await rowOf({ problem: 'q', images: [png, other], system: 's' }))).toEqual([
      'system: s',
      'user: #123|#45|q',
    ])
  })

  it('more or fewer images than positions is an error with both counts', async () => {
    expect(await messageOf({ problem: '<image><image>q', images: [png] })).toContain('1 image for 2 positions')
    expect(await messageOf({ problem: '<image>q', images: [png, other] })).toContain('2 images for 1 position')
    expect(await messageOf({ problem: '<image>q' })).toContain('0 images for 1 position')
  })

  it('a marker in an answer or in a text part is plain text', async () => {
    const row = await rowOf({ query: '<image>q', response: 'write <image>', images: [png] })
    expect(brief(row)).toEqual(['user: #123|q', 'assistant: write <image>'])
    const parts = await rowOf({ messages: [{ role: 'user', content: [{ type: 'text', text: 'the <image> tag' }] }] })
    expect(brief(parts)).toEqual(['user: the <image> tag'])
  })

  it('markers in text parts beside unplaced images are refused, because two readings are possible', async () => {
    const content = [{ type: 'text', text: '<image>q' }]
    expect(await messageOf({ messages: [{ role: 'user', content }], images: [png] })).toContain('plain text')
  })

  it('sixteen images are accepted and seventeen are not', async () => {
    await expect(rowOf({ problem: 'q', images: Array(16).fill(png) })).resolves.toBeDefined()
    await expect(rowOf({ problem: 'q', images: Array(17).fill(png) })).rejects.toMatchObject({ code: 'E_IMAGE_LIMIT' })
  })
})

describe('rows that are refused', () => {
  const user = { role: 'user', content: 'q' }
  it.each<[string, Record<string, unknown>, string]>([
    ['no shape', { text: 'q' }, 'no column that holds the conversation (columns: text)'],
    ['no messages', { messages: [] }, 'no messages'],
    ['messages that are no array', { messages: 'q' }, 'messages: expected an array, got "q"'],
    ['an unknown role', { messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role: expected "system"'],
    ['no user turn', { messages: [{ role: 'assistant', content: 'x' }] }, 'no user message'],
    [
      'a late system turn',
      { messages: [user, { role: 'system', content: 's' }] },
      'messages[1]: a system message must come first',
    ],
    ['two system messages', { messages: [{ role: 'system', content: 's' }, user], system: 't' }, 'two system messages'],
    [
      'no content',
      { messages: [{ role: 'user' }] },
      'messages[0]: expected a string or an array of parts, got nothing',
    ],
    ['an unknown part', { messages: [{ role: 'user', content: [{ type: 'video' }] }] }, 'messages[0].content[0].type'],
    ['an unknown speaker', { conversations: [{ from: 'toString', value: 'x' }] }, 'conversations[0].from'],
    ['a broken history', { query: 'q', history: [['a']] }, 'history[0]: expected [query, response]'],
    [
      'an answer that is a list',
      { problem: 'q', answer: ['1'] },
      'answer: expected a string or a number, got an array',
    ],
    ['an image that is a number', { problem: 'q', images: [3] }, 'images[0]: expected a path, bytes'],
    [
      'base64 with a hole',
      { problem: 'q', images: ['data:image/png;base64,AA*A'] },
      'images[0]: the bytes are not base64',
    ],
    ['no bytes', { problem: 'q', images: [new Uint8Array()] }, 'images[0]: no bytes'],
  ])('%s', async (_, record, message) => {
    expect(await messageOf(record)).toContain(message)
  })
})

describe('any row', () => {
  it('markers between any texts become images in order, with every text kept', async () => {
    const texts = fc.array(
      fc.string().filter((text) => !text.includes('<image>')),
      { minLength: 1, maxLength: 16 },
    )
    await fc.assert(
      fc.asyncProperty(texts, async (pieces) => {
        const images = pieces.slice(1).map((_, index) => Uint8Array.of(index + 1))
        const [message] = (await rowOf({ problem: pieces.join('<image>'), images })).messages
        const parts = message!.content
        expect(parts.filter((part) => part.type === 'image').map((part) => part.image)).toEqual(images)
        expect(parts.map((part) => (part.type === 'text' ? part.text : '<image>')).join('')).toBe(
          pieces.join('<image>'),
        )
      }),
    )
  })

  it('is read, or refused with an error of ours: nothing else ever comes out', async () => {
    const role = fc.constantFrom('system', 'user', 'assistant', 'tool')
    const part = fc.record(
      { type: fc.constantFrom('text', 'image', 'image_url'), text: fc.string(), image: fc.jsonValue() },
      { requiredKeys: [] },
    )
    const turn = fc.record(
      { role, content: fc.oneof(fc.string(), fc.array(part), fc.jsonValue()), from: role, value: fc.string() },
      { requiredKeys: [] },
    )
    const value = fc.oneof(fc.string(), fc.array(turn), fc.jsonValue(), fc.uint8Array())
    const record = fc.dictionary(fc.oneof(fc.constantFrom(...standardColumns), fc.string()), value)
    await fc.assert(
      fc.asyncProperty(record, async (candidate) => {
        const outcome: unknown = await loadDataset([candidate]).catch((reason: unknown) => reason)
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ColdstartError)
      }),
      { numRuns: 500 },
    )
  })
})

describe('gold answers written as numbers', () => {
  it('are taken where the number is the one that was written', async () => {
    const rows = [
      { problem: 'q', answer: 1.5 },
      { problem: 'q', answer: -9007199254740991 },
      { problem: 'q', answer: 1e-7 },
    ]
    expect([...(await loadDataset(rows))].map((row) => row.answer)).toEqual(['1.5', '-9007199254740991', '0.0000001'])
  })

  it.each(['12345678901234567890', '-9007199254740993', '1e400', '1e-300'])(
    'are refused where it would be another: %s',
    async (text) => {
      for (const column of ['answer', 'solution']) {
        const rows = [JSON.parse(`{ "problem": "q", "${column}": ${text} }`)]
        await expect(loadDataset(rows)).rejects.toMatchObject({
          code: 'E_DATA_ROW',
          message: expect.stringMatching(new RegExp(`rows\\[0\\]: ${column}: .*as a string`)),
        })
      }
    },
  )
})
