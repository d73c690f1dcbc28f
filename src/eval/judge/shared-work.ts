// Work that several callers want at once is done once; when none of them waits any more it may end early, and its end can be waited for.

interface Work<T> {
  result: Promise<T>
  waiting: number
  cancel: AbortController
}

/** Work under way, by key. */
export class SharedWork<T> {
  /** What can be joined. */
  readonly #running = new Map<string, Work<T>>()
  /** Everything that has not ended, cancelled work included. */
  readonly #unfinished = new Set<Work<T>>()

  /**
   * The result of the work under `key`, which `begin` starts unless it is under way. An abort of `signal` rejects at once with its
   * reason and leaves the work to the others; the signal given to `begin` aborts when nobody is left.
   */
  async join(key: string, begin: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const work = this.#running.get(key) ?? this.#begin(key, begin)
    work.waiting += 1
    try {
      return await (signal === undefined ? work.result : unlessAborted(work.result, signal))
    } finally {
      work.waiting -= 1
      if (work.waiting === 0) {
        this.#forget(key, work)
        work.cancel.abort()
      }
    }
  }

  /** Aborts everything that has not ended with a reason, and waits for its end. */
  async end(reason: unknown): Promise<void> {
    const works = [...this.#unfinished]
    for (const { cancel } of works) cancel.abort(reason)
    await Promise.allSettled(works.map(({ result }) => result))
  }

  #begin(key: string, begin: (signal: AbortSignal) => Promise<T>): Work<T> {
    const cancel = new AbortController()
    const result = begin(cancel.signal).finally(() => {
      this.#forget(key, work)
      this.#unfinished.delete(work)
    })
    // Nobody may be left to hear of a failure.
    result.catch(() => {})
    const work: Work<T> = { result, waiting: 0, cancel }
    this.#running.set(key, work)
    this.#unfinished.add(work)
    return work
  }

  /** A cancelled work may end after another has begun under its key. */
  #forget(key: string, work: Work<T>): void {
    if (this.#running.get(key) === work) this.#running.delete(key)
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
