/** Signals: the first asks the work to end at the next safe point, the second ends the process; SIGUSR2 asks for a checkpoint. */

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

/** What the signals have asked for. */
export interface SignalWatch {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal
  /** Whether SIGUSR2 has come since the last call. */
  saveRequested(): boolean
  /** Gives the signals back. */
  close(): void
}

/** Watches for signals; the second SIGINT, SIGTERM or SIGHUP exits at once. */
export function watchSignals(target: NodeJS.Process): SignalWatch {
  const controller = new AbortController()
  const end = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) target.exit(exitCodes[name as Ending])
    controller.abort(new Interrupted(name as Ending))
  }
  let isAsked = false
  const save = (): void => {
    isAsked = true
  }
  const names = Object.keys(exitCodes) as Ending[]
  for (const name of names) target.on(name, end)
  // SIGUSR1 is Node's inspector.
  target.on('SIGUSR2', save)
  return {
    signal: controller.signal,
    saveRequested: () => {
      const was = isAsked
      isAsked = false
      return was
    },
    close: () => {
      for (const name of names) target.off(name, end)
      target.off('SIGUSR2', save)
    },
  }
}
