/** Signals: the first asks the work to end at the next safe point, the second ends the process. */

/** Exit codes by signal: 128 plus its number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

type Ending = keyof typeof exitCodes

/** Reason of the abort that a signal causes. */
export class Interrupted extends Error {
  readonly exitCode: number

  constructor(readonly signal: Ending) {
    super(`stopped by ${signal}`)
    this.name = 'Interrupted'
    this.exitCode = exitCodes[signal]
  }
}

/** Aborts `signal` at the first SIGINT, SIGTERM or SIGHUP; the second exits at once. `close` gives the signals back. */
export function watchSignals(target: NodeJS.Process): { signal: AbortSignal; close(): void } {
  const controller = new AbortController()
  const handle = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) target.exit(exitCodes[name as Ending])
    controller.abort(new Interrupted(name as Ending))
  }
  const names = Object.keys(exitCodes) as Ending[]
  for (const name of names) target.on(name, handle)
  return {
    signal: controller.signal,
    close: () => {
      for (const name of names) target.off(name, handle)
    },
  }
}
