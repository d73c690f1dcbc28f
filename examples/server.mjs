// Answers questions about uploaded images, word by word.    node examples/server.mjs [model folder] [port]
//   curl --data-binary @picture.png 'http://127.0.0.1:8080/?question=how+many+squares+?'
import { createServer } from 'node:http'
import { ColdstartError, VisionLanguageModel } from 'coldstart'
import { tinyModel } from './tiny-model.mjs'

const MAX_BYTES = 8 * 1024 * 1024

const [folder, port = '8080'] = process.argv.slice(2)
const model = folder ? await VisionLanguageModel.fromPretrained(folder) : await tinyModel()

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (response.headersSent) return response.destroy()
    const isTheirs = error instanceof ColdstartError && error.code.startsWith('E_IMAGE')
    response
      .writeHead(error.status ?? (isTheirs ? 400 : 500))
      .end(`${isTheirs || error.status ? error.message : 'error'}\n`)
  })
})

async function answer(request, response) {
  if (request.method !== 'POST') throw Object.assign(new Error('POST an image'), { status: 405 })
  const question = new URL(request.url, 'http://localhost').searchParams.get('question') ?? 'how many squares ?'
  const image = await readBody(request)
  // Whoever hangs up frees the model for the next one.
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const content = [
    { type: 'image', image },
    { type: 'text', text: question },
  ]
  const options = { maxNewTokens: 64, temperature: 0, systemMessage: false, signal: gone.signal }
  for await (const { text } of model.stream([{ role: 'user', content }], options)) {
    // The first piece decides: an image that cannot be read still gets a proper status.
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    response.write(text)
  }
  response.end('\n')
}

async function readBody(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_BYTES) throw Object.assign(new Error(`at most ${MAX_BYTES} bytes`), { status: 413 })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => model.close())
    server.closeIdleConnections()
  })
}

server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
