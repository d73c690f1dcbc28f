import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Interrupted, watchSignals } from '../../src/cli/signals.js'

/** A process that only has signals and an exit. */
class FakeProcess extends EventEmitter {
  exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

function watch() {
  const target = new FakeProcess()
  return { target, ...watchSignals(target as unknown as NodeJS.Process) }
}

describe('signals', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('the first %s aborts with a reason that carries exit code %i', (name, exitCode) => {
    const { target, signal } = watch()
    target.emit(name, name)
    expect(signal.reason).toBeInstanceOf(Interrupted)
    expect(signal.reason).toMatchObject({ exitCode, signal: name })
    expect(target.exits).toEqual([])
  })

  it('the second one, of any kind, exits at once', () => {
    const { target } = watch()
    target.emit('SIGTERM', 'SIGTERM')
    target.emit('SIGINT', 'SIGINT')
    expect(target.exits).toEqual([130])
  })

  it('SIGUSR2 asks for one checkpoint and ends nothing', () => {
    const { target, signal, saveRequested } = watch()
    expect(saveRequested()).toBe(false)
    target.emit('SIGUSR2', 'SIGUSR2')
    expect([saveRequested(), saveRequested()]).toEqual([true, false])
    expect([signal.aborted, target.exits]).toEqual([false, []])
  })

  it('are given back on close', () => {
    const { target, close } = watch()
    close()
    expect(target.eventNames()).toEqual([])
  })
})
