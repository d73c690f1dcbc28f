// A Python process that does the same work with PyTorch, asked one thing at a time so that both sides can take turns.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export class Peer {
  #python
  #child
  #lines

  /** @param python interpreter with torch and transformers; it starts with the first question */
  constructor(python) {
    this.#python = python
  }

  async ask(request) {
    if (this.#child === undefined) this.#start()
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the peer ended while asked for ${request.op}`)
    const answer = JSON.parse(value)
    if (answer.error) throw new Error(`peer, ${request.op}: ${answer.error}`)
    return answer
  }

  close() {
    this.#child?.stdin.end()
  }

  #start() {
    this.#child = spawn(this.#python, [fileURLToPath(new URL('peer.py', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }
}
