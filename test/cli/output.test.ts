import { describe, expect, it, vi } from 'vitest'
import { Output, type Sink } from '../../src/cli/output.js'

class Paper implements Sink {
  text = ''
  columns = 20
  constructor(readonly isTTY = false) {}
  write(text: string): void {
    this.text += text
  }
}

function make(options: { json?: boolean; quiet?: boolean; rowsOnly?: boolean; terminal?: boolean }) {
  const stdout = new Paper()
  const stderr = new Paper(options.terminal ?? false)
  const { json = false, quiet = false, rowsOnly = false } = options
  const output = new Output({ json, quiet, rowsOnly, stdout, stderr })
  return { output, stdout, stderr }
}

/** Says one thing of each kind. */
function speak(output: Output): void {
  output.event({ type: 'step' })
  output.result('result\n')
  output.say('said')
  output.fail('failed')
}

describe('Output', () => {
  it('puts results on stdout and the rest on stderr', () => {
    const { output, stdout, stderr } = make({})
    speak(output)
    expect([stdout.text, stderr.text]).toEqual(['result\n', 'said\ncoldstart: failed\n'])
  })

  it('says how the command ended as an event, but where stdout has rows alone', () => {
    for (const rowsOnly of [false, true]) {
      const { output, stdout } = make({ json: true, rowsOnly })
      output.ending({ type: 'error' })
      expect(stdout.text).toBe(rowsOnly ? '' : '{"type":"error"}\n')
    }
  })

  it('with json, stdout has events only', () => {
    const { output, stdout, stderr } = make({ json: true })
    speak(output)
    expect([stdout.text, stderr.text]).toEqual(['{"type":"step"}\n', 'said\ncoldstart: failed\n'])
  })

  it('quiet keeps results and faults', () => {
    const { output, stdout, stderr } = make({ quiet: true })
    speak(output)
    expect([stdout.text, stderr.text]).toEqual(['result\n', 'coldstart: failed\n'])
  })

  it('progress repaints one line, no wider than the terminal, and leaves nothing behind', () => {
    const { output, stderr } = make({ terminal: true })
    output.progress('a line that is too long for it')
    expect(stderr.text).toBe('\r\x1b[2Ka line that is too ')
    stderr.text = ''
    output.say('said')
    output.close()
    expect(stderr.text).toBe('\r\x1b[2Ksaid\n')
  })

  it('progress repaints at most ten times a second', () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] })
    const { output, stderr } = make({ terminal: true })
    for (let step = 0; step < 1000; step += 1) {
      output.progress(String(step))
      vi.advanceTimersByTime(1)
    }
    vi.useRealTimers()
    expect(stderr.text.split('\r').length - 1).toBe(10)
  })

  it('progress is silent without a terminal, and when quiet', () => {
    const plain = make({})
    const quiet = make({ terminal: true, quiet: true })
    plain.output.progress('x')
    quiet.output.progress('x')
    expect(plain.stderr.text + quiet.stderr.text).toBe('')
  })
})
