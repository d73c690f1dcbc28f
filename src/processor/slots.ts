// Places for work in flight, given in the order of asking.

/** At most `count` holders at a time; who asked first is served first. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Waits for a place. Rejects with the signal's reason when aborted first; then there is nothing to give back. */
  take(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const serve = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.delete(serve)
        reject(signal?.reason)
      }
      this.#waiting.add(serve)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** Hands the place to whoever waits longest. */
  giveBack(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free += 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
